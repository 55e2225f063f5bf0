"""Label selectors: text in, a predicate over labels out.

Source: k8s.io/apimachinery pkg/labels/selector.go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import attrs

_Test: TypeAlias = Callable[[Mapping[str, str]], bool]

MAX_SELECTOR: Final = 64 * 1024
"""Characters of one selector."""

_NAME = r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_KEY = rf"(?P<key>(?:[a-z0-9](?:[-a-z0-9.]{{0,251}}[a-z0-9])?/)?{_NAME})"
_VALUE: Final = re.compile(rf"(?:{_NAME})?")
_REQUIREMENT: Final = re.compile(
    rf"""\s*(?:
        !\s*(?P<absent>{_KEY.replace("key", "key0")})
      | {_KEY}\s*(?:
            (?P<op>==|=|!=)\s*(?P<value>[^\s,()=!<>]*)
          | (?P<order>[<>])\s*(?P<number>-?[0-9]+)
          | \s(?P<set>in|notin)\s*\(\s*(?P<values>[^()]*)\)
        )?
    )\s*(?P<end>,|$)""",
    re.VERBOSE,
)
LABEL_VALUE_RULE: Final = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
    "start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used "
    "for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)


@attrs.frozen
class LabelSelector:
    """Requirements that must all hold; equal texts are equal selectors.

    Attributes:
        text: as it was given, without white space around it; empty: everything is selected.
    """

    text: str
    _tests: tuple[_Test, ...] = attrs.field(eq=False, repr=False)

    @classmethod
    def parse(cls, text: str) -> LabelSelector:
        """The selector of that text.

        Raises:
            ValueError: it is not a selector.
        """
        return cls(text.strip(), tuple(_parse(text)) if text.strip() else ())

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Does it select an object with these labels?"""
        return all(test(labels) for test in self._tests)


EVERYTHING: Final = LabelSelector.parse("")


def _parse(text: str) -> list[_Test]:
    if len(text) > MAX_SELECTOR:
        raise ValueError(f"unable to parse requirement: selector is longer than {MAX_SELECTOR} characters")
    tests: list[_Test] = []
    at, comma = 0, True
    while at < len(text) or comma:
        found = _REQUIREMENT.match(text, at)
        if found is None:
            here = text[at : at + 40]
            raise ValueError(f"unable to parse requirement: found {here!r}, expected: identifier")
        tests.append(_test(found))
        at, comma = found.end(), found["end"] == ","
    return tests


def _test(found: re.Match[str]) -> _Test:
    key = found["key"]
    if found["absent"]:
        absent = found["absent"]
        return lambda labels: absent not in labels
    if found["op"]:
        value = _checked(found["value"])
        if found["op"] == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if found["set"]:
        values = frozenset(_checked(item.strip()) for item in found["values"].split(","))
        if found["set"] == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    if found["order"]:
        return _ordered(key, int(found["number"]), found["order"] == ">")
    return lambda labels: key in labels


def _checked(value: str) -> str:
    if _VALUE.fullmatch(value) is None:
        raise ValueError(
            f'unable to parse requirement: values[0]: Invalid value: "{value}": {LABEL_VALUE_RULE}'
        )
    return value


def _ordered(key: str, bound: int, above: bool) -> _Test:
    def test(labels: Mapping[str, str]) -> bool:
        try:
            number = int(labels[key])
        except (KeyError, ValueError):
            return False
        return number > bound if above else number < bound

    return test
