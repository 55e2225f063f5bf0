"""The JSONPaths of printer columns: the part of the language that definitions use.

``.a.b``, ``.a\\.b``, ``['a']``, ``[0]``, ``[*]`` and ``[?(@.a=="b")]``. Source: Kubernetes' documentation of
JSONPath support and of ``additionalPrinterColumns``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeAlias

Step: TypeAlias = Callable[[Any], Iterator[Any]]
Finder: TypeAlias = Callable[[Any], Any]
"""An object's value in, the first value found out; None if there is none."""

MAX_STEPS: Final = 64  # of one path

_STEP: Final = re.compile(
    r"""(?P<all>\[\s*\*\s*\]|\.\*)
      | \.(?P<name>(?:\\.|[^.\[\]\\])+)
      | \[\s*(?P<index>-?\d+)\s*\]
      | \[\s*(?P<quote>['"])(?P<key>[^'"]*)(?P=quote)\s*\]
      | \[\?\(\s*@\.(?P<field>[^\s=!()]+)\s*==\s*(?P<mark>['"])(?P<wanted>[^'"]*)(?P=mark)\s*\)\]""",
    re.VERBOSE,
)


def compile_path(path: str) -> Finder:
    """A function that follows the path; one that finds nothing if the path is not of the kinds above."""
    text = path.strip().removeprefix("{").removesuffix("}").removeprefix("$")
    steps: list[Step] = []
    at = 0
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None or len(steps) >= MAX_STEPS:
            return _nothing
        steps.append(_step(found))
        at = found.end()

    def find(value: Any) -> Any:
        values = iter([value])
        for step in steps:
            values = _each(values, step)
        return next(values, None)

    return find


def _nothing(value: Any) -> Any:
    return None


def _each(values: Iterator[Any], step: Step) -> Iterator[Any]:
    for value in values:
        yield from step(value)


def _step(found: re.Match[str]) -> Step:
    if found["all"]:
        return _all
    if found["index"]:
        return _index(int(found["index"]))
    if found["field"]:
        return _filter(compile_path("." + found["field"]), found["wanted"])
    name = found["name"]
    return _key(re.sub(r"\\(.)", r"\1", name) if name is not None else found["key"])


def _key(name: str) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, Mapping) and name in value:
            yield value[name]

    return step


def _index(number: int) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, list) and -len(value) <= number < len(value):
            yield value[number]

    return step


def _all(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        yield from value
    elif isinstance(value, Mapping):
        yield from value.values()


def _filter(find: Finder, wanted: str) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, list):
            yield from (item for item in value if find(item) == wanted)

    return step
