"""Label and field selectors: text in, a predicate out.

Source: k8s.io/apimachinery pkg/labels/selector.go and pkg/fields/selector.go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from trio_argoagent.apiserver.core.meta import LABEL_VALUE_RULE
from trio_argoagent.apiserver.core.values import Stored
from trio_argoagent.errors import BadRequest

Matcher: TypeAlias = Callable[[Stored], bool]
_Test: TypeAlias = Callable[[Mapping[str, str]], bool]

MAX_SELECTOR: Final = 64 * 1024  # characters of one selector

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


def match_labels(text: str) -> Matcher | None:
    """Compile a label selector; None when it selects everything.

    Raises:
        BadRequest: it is not a selector.
    """
    if not text.strip():
        return None
    tests = _parse(text)

    def matches(stored: Stored) -> bool:
        labels = stored.labels
        return all(test(labels) for test in tests)

    return matches


def _parse(text: str) -> list[_Test]:
    if len(text) > MAX_SELECTOR:
        raise BadRequest(f"unable to parse requirement: selector is longer than {MAX_SELECTOR} characters")
    tests: list[_Test] = []
    at, comma = 0, True
    while at < len(text) or comma:
        found = _REQUIREMENT.match(text, at)
        if found is None:
            raise BadRequest(
                f"unable to parse requirement: found {text[at : at + 40]!r}, expected: identifier"
            )
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
        raise BadRequest(
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


def match_fields(text: str, selectable: Mapping[str, tuple[str, ...]]) -> Matcher | None:
    """Compile a field selector; None when it selects everything.

    Args:
        text: terms ``path=value``, ``path==value`` or ``path!=value``, joined by commas.
        selectable: the field labels the resource supports, and where each is found in an object.

    Raises:
        BadRequest: it is not a selector, or names a field that cannot be selected on.
    """
    terms = [_field_term(term, selectable) for term in text.split(",") if term]
    if not terms:
        return None

    def matches(stored: Stored) -> bool:
        return all((_lookup(stored.value, path) == value) is wanted for path, value, wanted in terms)

    return matches


def _field_term(term: str, selectable: Mapping[str, tuple[str, ...]]) -> tuple[tuple[str, ...], str, bool]:
    found = re.fullmatch(r"([^=!]+)(!=|==|=)(.*)", term, re.DOTALL)
    if found is None:
        raise BadRequest(f"invalid selector: '{term}'; can't understand '{term}'")
    label, op, value = found.groups()
    if label not in selectable:
        raise BadRequest(f"field label not supported: {label}")
    return selectable[label], value, op != "!="


def _lookup(value: Any, path: tuple[str, ...]) -> str:
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def both(first: Matcher | None, second: Matcher | None) -> Matcher | None:
    """Objects that both accept; None when both accept everything."""
    if first is None or second is None:
        return first or second
    return lambda stored: first(stored) and second(stored)
