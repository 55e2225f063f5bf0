"""Structural schemas: types, required fields, enumerations, defaults, pruning.

A schema is compiled once into a tree of shapes. ``Shape.fit`` walks a value and the version before in step:
where the two are one and the same object it has been here already and returns at once, so the cost of a
write is that of what it changed. What has to go (unknown fields, nulls) goes from a copy; a value that
needs no change is returned itself.

Source: Kubernetes' documentation of structural schemas, field pruning and defaulting of custom resources;
k8s.io/apiextensions-apiserver pkg/apiserver/schema. What a schema says beyond that is in ``constraints``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import attrs

from trio_argoagent.apiserver.core import constraints, failures
from trio_argoagent.apiserver.core.values import encode

Path: TypeAlias = "tuple[Any, str | int] | None"
"""Where a value is: (path of the parent, key or index). Rendered only when something is wrong there."""

MAX_DEPTH: Final = 64  # levels of a schema; deeper is refused when it is compiled

_ABSENT: Final = object()
_SCALARS: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}
_JSON_NAMES: Final[Mapping[type, str]] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    dict: "object",
    list: "array",
    type(None): "null",
}


def render(path: Path) -> str:
    """``spec.sources[0].repoURL``."""
    text = ""
    while path is not None:
        path, key = path
        step = f"[{key}]" if isinstance(key, int) else f".{key}"
        text = step + text
    return text.removeprefix(".")


@attrs.define
class Report:
    """What a walk has found.

    Attributes:
        problems: what makes the value unacceptable.
        unknown: the paths of the fields that were pruned.
    """

    problems: list[failures.Problem] = attrs.field(factory=list)
    unknown: list[str] = attrs.field(factory=list)

    def wrong_type(self, path: Path, wanted: str, value: Any) -> None:
        """Note a value of the wrong JSON type."""
        got = _JSON_NAMES.get(type(value), "unknown")
        self.problems.append(failures.wrong_type(render(path), wanted, got))


class Shape:
    """Anything goes: what ``x-kubernetes-preserve-unknown-fields`` without properties means."""

    nullable = True
    default: Any = _ABSENT
    plain: tuple[type, ...] = ()
    """Python types that are acceptable without a closer look."""

    def fit(self, value: Any, old: Any, path: Path, report: Report) -> Any:
        """The value as it is to be stored.

        Args:
            value: what was sent. Not changed.
            old: what is stored there now (already fitted), or None.
            path: where this is, for the report.
            report: what is wrong or unknown is added to it.
        """
        return value


class _Scalar(Shape):
    def __init__(self, name: str, accepts: tuple[type, ...], allowed: tuple[Any, ...]) -> None:
        self._name = name
        self._accepts = accepts
        self._allowed = allowed
        self.plain = () if allowed else accepts

    def fit(self, value: Any, old: Any, path: Path, report: Report) -> Any:
        kind = type(value)
        if kind not in self._accepts and not (kind is float and int in self._accepts and value.is_integer()):
            if value is not None or not self.nullable:
                report.wrong_type(path, self._name, value)
        elif self._allowed and value not in self._allowed:
            report.problems.append(failures.not_supported(render(path), value, self._allowed))
        return value


class _Checked(Shape):
    """A shape whose values have to pass checks, too."""

    def __init__(self, inner: Shape, check: constraints.Check) -> None:
        self._inner = inner
        self._check = check
        self.nullable = inner.nullable

    def fit(self, value: Any, old: Any, path: Path, report: Report) -> Any:
        known = len(report.problems)
        fitted = self._inner.fit(value, old, path, report)
        # What is stored has passed already; a wrong type is enough of a problem.
        stored = value is old and value is not None and type(value) in (dict, list)
        if not stored and fitted is not None and len(report.problems) == known:
            # Where it is matters only if something is wrong, which is seldom.
            report.problems += self._check(fitted, "") and self._check(fitted, render(path))
        return fitted


class _Array(Shape):
    def __init__(self, item: Shape) -> None:
        self._item = item

    def fit(self, value: Any, old: Any, path: Path, report: Report) -> Any:
        if (value is old and value is not None) or (value is None and self.nullable):
            return value
        if type(value) is not list:
            report.wrong_type(path, "array", value)
            return value
        fit = self._item.fit
        before = old if type(old) is list else ()
        known = len(before)
        result = value
        for index, item in enumerate(value):
            old_item = before[index] if index < known else None
            if index < known and encode(item) == encode(old_item):
                # Programs send a whole list for one changed item. The others need no walk, and are shared
                # with the version before. Encoding is several times quicker than the walk; == would be
                # quicker still, but takes true for 1.
                fitted = old_item
            else:
                fitted = fit(item, old_item, (path, index), report)
            if fitted is not item:
                if result is value:
                    result = list(value)
                result[index] = fitted
        return result


class _Object(Shape):
    def __init__(
        self, properties: Mapping[str, Shape], rest: Shape | None, preserve: bool, needs: tuple[str, ...]
    ) -> None:
        self._properties = properties
        self._rest = rest
        self._preserve = preserve
        self._needs = needs
        # Most fields are scalars of the right type: for them one look at the type is all.
        self._plain = {k: s.plain for k, s in properties.items()}
        self._rest_plain = rest.plain if rest is not None else ()
        self._defaults = {k: s.default for k, s in properties.items() if s.default is not _ABSENT}

    def fit(self, value: Any, old: Any, path: Path, report: Report) -> Any:
        if (value is old and value is not None) or (value is None and self.nullable):
            return value
        if type(value) is not dict:
            report.wrong_type(path, "object", value)
            return value
        result = self._fit_fields(value, old if type(old) is dict else {}, path, report)
        for name, default in self._defaults.items():
            if name not in result:
                result = {**result, name: default}
        for name in self._needs:
            if name not in result:
                report.problems.append(failures.required(render((path, name))))
        return result

    def _fit_fields(self, value: Any, before: Any, path: Path, report: Report) -> Any:
        properties, rest = self._properties, self._rest
        plain, rest_plain = self._plain, self._rest_plain
        result = value
        for key, item in value.items():
            if type(item) in plain.get(key, rest_plain):
                continue
            shape = properties.get(key) or rest
            if shape is None:
                if self._preserve:
                    continue
                report.unknown.append(render((path, key)))
                fitted = _ABSENT
            elif item is None and not shape.nullable:
                fitted = _ABSENT
            else:
                fitted = shape.fit(item, before.get(key), (path, key), report)
                if fitted is item:
                    continue
            if result is value:
                result = dict(value)
            if fitted is _ABSENT:
                del result[key]
            else:
                result[key] = fitted
        return result


def compile_schema(schema: Mapping[str, Any], *, root: bool = False, depth: int = 0) -> Shape:
    """Turn a structural schema into a shape.

    Args:
        schema: an ``openAPIV3Schema`` or a part of one.
        root: is it a whole object's? Then apiVersion, kind and metadata are let through.
        depth: levels above this one.

    Raises:
        ValueError: the schema is not one we can use, and why.
    """
    if depth > MAX_DEPTH:
        raise ValueError(f"schema is deeper than {MAX_DEPTH} levels")
    shape = _compile(schema, root, depth)
    shape.nullable = bool(schema.get("nullable")) or type(shape) is Shape
    check = constraints.compile_checks(schema)
    if check is not None:
        shape = _Checked(shape, check)
    if "default" in schema:
        shape.default = schema["default"]
    return shape


def _compile(schema: Mapping[str, Any], root: bool, depth: int) -> Shape:
    kind = schema.get("type", "")
    if schema.get("x-kubernetes-int-or-string"):
        return _Scalar("integer,string", (int, str), ())
    if kind in _SCALARS:
        return _Scalar(kind, _SCALARS[kind], tuple(schema.get("enum", ())))
    if kind == "array":
        return _Array(compile_schema(schema.get("items", {}), depth=depth + 1))
    preserve = bool(schema.get("x-kubernetes-preserve-unknown-fields"))
    if kind == "" and not schema.get("properties"):
        return Shape()
    if kind not in ("", "object"):
        raise ValueError(f"unknown type {kind!r}")
    properties = {
        name: compile_schema(part, depth=depth + 1) for name, part in schema.get("properties", {}).items()
    }
    if root or schema.get("x-kubernetes-embedded-resource"):
        properties |= {name: Shape() for name in ("apiVersion", "kind", "metadata")}
    extra = schema.get("additionalProperties")
    rest = (
        compile_schema(extra, depth=depth + 1) if isinstance(extra, Mapping) else (Shape() if extra else None)
    )
    return _Object(properties, rest, preserve, tuple(schema.get("required", ())))
