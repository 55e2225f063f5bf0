"""Texts with holes: ``{n}`` is the how-manieth time a step is carried out, ``{pad:1000}`` so many letters."""

from __future__ import annotations

import re
from typing import Any, Final

import attrs

from trio_argoagent.testing.scenario.values import Applied, Condition, Ref

MAX_PAD: Final = 32 << 20
"""Letters of one ``{pad:...}``."""
_HOLE: Final = re.compile(r"\{(?:(n)|pad:([0-9]{1,8}))\}")


def filled(value: Any, n: int) -> Any:
    """The same value with every hole in its texts filled."""
    if isinstance(value, str):
        return _HOLE.sub(lambda found: _fill(found, n), value) if "{" in value else value
    if isinstance(value, dict):
        return {filled(name, n): filled(each, n) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(filled(each, n) for each in value)
    if isinstance(value, Applied):
        return attrs.evolve(value, value=filled(value.value, n))
    if isinstance(value, Condition):
        return attrs.evolve(value, arguments=filled(value.arguments, n))
    if isinstance(value, Ref):
        return attrs.evolve(value, namespace=filled(value.namespace, n), name=filled(value.name, n))
    return value


def _fill(found: re.Match[str], n: int) -> str:
    return str(n) if found[1] else "x" * min(int(found[2]), MAX_PAD)
