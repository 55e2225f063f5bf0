"""Label and field selectors: text in, a predicate out.

Source: k8s.io/apimachinery pkg/fields/selector.go; of labels see ``model.selectors``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from trio_argoagent.apiserver.core.values import Stored
from trio_argoagent.errors import BadRequest
from trio_argoagent.model.selectors import LabelSelector

Matcher: TypeAlias = Callable[[Stored], bool]
_TERM: Final = re.compile(r"([^=!]+)(!=|==|=)(.*)", re.DOTALL)


def match_labels(text: str) -> Matcher | None:
    """Compile a label selector; None when it selects everything.

    Raises:
        BadRequest: it is not a selector.
    """
    try:
        selector = LabelSelector.parse(text)
    except ValueError as exc:
        raise BadRequest(str(exc)) from exc
    return (lambda stored: selector.matches(stored.labels)) if selector.text else None


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


def wanted(text: str, label: str) -> str:
    """The one value that a field selector lets this field have; empty: any, or the text is no selector."""
    for term in text.split(","):
        found = _TERM.fullmatch(term)
        if found is not None and found[1] == label and found[2] != "!=":
            return found[3]
    return ""


def _field_term(term: str, selectable: Mapping[str, tuple[str, ...]]) -> tuple[tuple[str, ...], str, bool]:
    found = _TERM.fullmatch(term)
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
