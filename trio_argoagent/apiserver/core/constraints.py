"""What a schema says about values beyond their types: patterns, bounds, formats, ``anyOf`` and its kin.

The checks of a place are gathered when its schema is compiled; most places have none. Inside ``anyOf``,
``oneOf``, ``allOf`` and ``not`` a schema only judges, and is read as it stands.

Source: JSON Schema Wright-00 as OpenAPI v3 has it, in the words of k8s.io/kube-openapi pkg/validation. Not
done: CEL rules (``x-kubernetes-validations``), which are kept and not enforced.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence, Sized
from typing import Any, Final, TypeAlias

from trio_argoagent.apiserver.core import failures
from trio_argoagent.apiserver.core.failures import Problem
from trio_argoagent.apiserver.core.values import encode, same

Check: TypeAlias = Callable[[Any, str], list[Problem]]
"""(a value, where it is) -> what is wrong with it."""

MAX_DEPTH: Final = 64  # levels of ``anyOf`` and its kin

_DATE_TIME: Final = re.compile(
    r"\d{4}-(0\d|1[0-2])-([0-2]\d|3[01])[Tt]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?([Zz]|[+-]\d\d:\d\d)"
)
_RANGES: Final[Mapping[str, int]] = {"int32": 1 << 31, "int64": 1 << 63}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _says(where: str, value: Any, rule: str) -> list[Problem]:
    return [failures.invalid_value(where, value, f"{where} in body {rule}")]


def _text_check(fails: Callable[[str], bool], rule: str) -> Check:
    return lambda value, where: (
        _says(where, value, rule) if isinstance(value, str) and fails(value) else []
    )


def _number_check(fails: Callable[[float], bool], rule: str) -> Check:
    return lambda value, where: _says(where, value, rule) if _is_number(value) and fails(value) else []


def _size_check(kind: type[Sized], fails: Callable[[int], bool], rule: str) -> Check:
    # The size is what the real server shows as the value that is wrong.
    return lambda value, where: (
        _says(where, len(value), rule) if isinstance(value, kind) and fails(len(value)) else []
    )


def _of_all(text: str) -> Problem:
    """What is wrong with a value as a whole: the real server names no field then."""
    return failures.invalid_value("<nil>", "", text)


def _pattern(pattern: str, schema: Mapping[str, Any]) -> Check:
    try:
        found = re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as exc:
        raise ValueError(f"pattern {pattern!r}: {exc}") from None
    return _text_check(lambda text: found.search(text) is None, f"should match '{pattern}'")


def _min_length(limit: int, schema: Mapping[str, Any]) -> Check:
    return _text_check(lambda text: len(text) < limit, f"should be at least {limit} chars long")


def _max_length(limit: int, schema: Mapping[str, Any]) -> Check:
    def check(value: Any, where: str) -> list[Problem]:
        if not isinstance(value, str) or len(value) <= limit:
            return []
        return [Problem(where, "FieldValueTooLong", f"Too long: may not be more than {limit} bytes")]

    return check


def _minimum(limit: float, schema: Mapping[str, Any]) -> Check:
    if schema.get("exclusiveMinimum"):
        return _number_check(lambda number: number <= limit, f"should be greater than {limit}")
    return _number_check(lambda number: number < limit, f"should be greater than or equal to {limit}")


def _maximum(limit: float, schema: Mapping[str, Any]) -> Check:
    if schema.get("exclusiveMaximum"):
        return _number_check(lambda number: number >= limit, f"should be less than {limit}")
    return _number_check(lambda number: number > limit, f"should be less than or equal to {limit}")


def _multiple_of(step: float, schema: Mapping[str, Any]) -> Check:
    if not step > 0:
        raise ValueError("multipleOf must be greater than 0")
    return _number_check(lambda number: (number / step) % 1 != 0, f"should be a multiple of {step}")


def _min_items(limit: int, schema: Mapping[str, Any]) -> Check:
    return _size_check(list, lambda size: size < limit, f"should have at least {limit} items")


def _max_items(limit: int, schema: Mapping[str, Any]) -> Check:
    return _too_many(list, limit)


def _too_many(kind: type[Sized], limit: int) -> Check:
    def check(value: Any, where: str) -> list[Problem]:
        if not isinstance(value, kind) or len(value) <= limit:
            return []
        items = "item" if limit == 1 else "items"
        text = f"Too many: {len(value)}: must have at most {limit} {items}"
        return [Problem(where, "FieldValueTooMany", text)]

    return check


def _min_properties(limit: int, schema: Mapping[str, Any]) -> Check:
    return _size_check(dict, lambda size: size < limit, f"should have at least {limit} properties")


def _max_properties(limit: int, schema: Mapping[str, Any]) -> Check:
    return _too_many(dict, limit)


def _format(name: str, schema: Mapping[str, Any]) -> Check:
    if name in _RANGES:
        return _in_range(name, _RANGES[name])
    if name == "date-time":
        return _formatted(name, lambda text: _DATE_TIME.fullmatch(text) is not None)
    if name == "byte":
        return _formatted(name, _is_base64)
    # The other formats are for people: a real server lets those it does not know pass, too.
    return _passes


def _in_range(name: str, limit: int) -> Check:
    def check(value: Any, where: str) -> list[Problem]:
        if not _is_number(value) or -limit <= value < limit:
            return []
        return [_of_all(f"Checked value must be of type integer with format {name} in {where}")]

    return check


def _formatted(name: str, fits: Callable[[str], bool]) -> Check:
    def check(value: Any, where: str) -> list[Problem]:
        if not isinstance(value, str) or fits(value):
            return []
        detail = f'{where} in body must be of type {name}: "{value}"'
        return [Problem(where, "FieldValueTypeInvalid", f"Invalid value: {failures.quoted(value)}: {detail}")]

    return check


def _is_base64(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return False


def _list_type(name: str, schema: Mapping[str, Any]) -> Check:
    keys = tuple(schema.get("x-kubernetes-list-map-keys", ()))
    if name not in ("set", "map"):
        return _passes

    def check(value: Any, where: str) -> list[Problem]:
        problems: list[Problem] = []
        seen: dict[bytes, None] = {}
        for index, item in enumerate(value if isinstance(value, list) else ()):
            if name == "map":
                item = {key: item[key] for key in keys if key in item} if isinstance(item, dict) else item
            mark = encode(item)
            if mark in seen:
                text = f"Duplicate value: {failures.quoted(item)}"
                problems.append(Problem(f"{where}[{index}]", "FieldValueDuplicate", text))
            seen[mark] = None
        return problems

    return check


def _passes(value: Any, where: str) -> list[Problem]:
    return []


# --- schemas that only judge ------------------------------------------------------------------------------


def _any_of(parts: Sequence[Mapping[str, Any]], schema: Mapping[str, Any]) -> Check:
    if schema.get("x-kubernetes-int-or-string"):
        return _passes  # It says the same.
    judges = [_judge(part) for part in parts]

    def check(value: Any, where: str) -> list[Problem]:
        found = [judge(value, where) for judge in judges]
        if not all(found):
            return []
        return [_of_all(f'"{where}" must validate at least one schema (anyOf)'), *found[0]]

    return check


def _one_of(parts: Sequence[Mapping[str, Any]], schema: Mapping[str, Any]) -> Check:
    judges = [_judge(part) for part in parts]

    def check(value: Any, where: str) -> list[Problem]:
        found = [judge(value, where) for judge in judges]
        good = sum(not problems for problems in found)
        if good == 1:
            return []
        text = f'"{where}" must validate one and only one schema (oneOf). Found '
        if good:
            return [_of_all(f"{text}{good} valid alternatives")]
        return [_of_all(f"{text}none valid"), *found[0]]

    return check


def _all_of(parts: Sequence[Mapping[str, Any]], schema: Mapping[str, Any]) -> Check:
    judges = [_judge(part) for part in parts]

    def check(value: Any, where: str) -> list[Problem]:
        found = [judge(value, where) for judge in judges]
        if not any(found):
            return []
        none = ". None validated" if all(found) else ""
        text = f'"{where}" must validate all the schemas (allOf){none}'
        return [*(problem for problems in found for problem in problems), _of_all(text)]

    return check


def _not(part: Mapping[str, Any], schema: Mapping[str, Any]) -> Check:
    judge = _judge(part)

    def check(value: Any, where: str) -> list[Problem]:
        return [] if judge(value, where) else [_of_all(f'"{where}" must not validate the schema (not)')]

    return check


_TYPES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: _is_number(value) and value == int(value),
    "number": _is_number,
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}


def _judge(schema: Mapping[str, Any], depth: int = 0) -> Check:
    """All that a schema says about a value, its inside included."""
    if depth > MAX_DEPTH:
        raise ValueError(f"anyOf, oneOf, allOf or not is deeper than {MAX_DEPTH} levels")
    own = compile_checks(schema)
    fits = _TYPES.get(schema.get("type", ""))
    allowed = schema.get("enum")
    needs: Sequence[str] = schema.get("required", ())
    members = {name: _judge(part, depth + 1) for name, part in schema.get("properties", {}).items()}
    items = _judge(schema["items"], depth + 1) if isinstance(schema.get("items"), Mapping) else None

    def check(value: Any, where: str) -> list[Problem]:
        if fits is not None and not fits(value):
            return [failures.wrong_type(where, schema["type"], type(value).__name__)]
        if allowed is not None and not any(same(value, each) for each in allowed):
            return [failures.not_supported(where, value, allowed)]
        problems = own(value, where) if own is not None else []
        if isinstance(value, dict):
            problems += [failures.required(f"{where}.{name}") for name in needs if name not in value]
            for name, judge in members.items():
                problems += judge(value[name], f"{where}.{name}") if name in value else []
        for index, item in enumerate(value if isinstance(value, list) and items is not None else ()):
            problems += items(item, f"{where}[{index}]") if items is not None else []
        return problems

    return check


_KEYWORDS: Final[Mapping[str, Callable[[Any, Mapping[str, Any]], Check]]] = {
    "pattern": _pattern,
    "minLength": _min_length,
    "maxLength": _max_length,
    "minimum": _minimum,
    "maximum": _maximum,
    "multipleOf": _multiple_of,
    "minItems": _min_items,
    "maxItems": _max_items,
    "minProperties": _min_properties,
    "maxProperties": _max_properties,
    "format": _format,
    "x-kubernetes-list-type": _list_type,
    "anyOf": _any_of,
    "oneOf": _one_of,
    "allOf": _all_of,
    "not": _not,
}


_WORDS: Final = frozenset(_KEYWORDS)


def compile_checks(schema: Mapping[str, Any]) -> Check | None:
    """What the schema says about values of its own place; None: nothing.

    Raises:
        ValueError, TypeError, AttributeError: a keyword's value is not one.
    """
    if _WORDS.isdisjoint(schema):
        return None
    checks = [make(schema[word], schema) for word, make in _KEYWORDS.items() if word in schema]
    checks = [check for check in checks if check is not _passes]
    if not checks:
        return None
    return lambda value, where: [problem for check in checks for problem in check(value, where)]
