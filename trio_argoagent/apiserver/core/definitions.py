"""What a CustomResourceDefinition makes the server serve.

Read in full are names, scope, versions, schema, the status subresource, printer columns and selectable
fields. All versions share one storage, and conversion is what the strategy ``None`` means by it: a client
sees the version that it asks for in ``apiVersion``, and nothing else is changed. Where several versions want
a webhook instead, the definition is refused: nobody is there to be asked. CEL rules are kept and not
enforced, which whoever writes the definition is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import msgspec

from trio_argoagent.apiserver.core import failures, structural
from trio_argoagent.apiserver.core.kinds import AGE, CRDS, SELECTABLE, Column, ResourceType
from trio_argoagent.apiserver.core.schema import compile_schema
from trio_argoagent.apiserver.core.values import encode
from trio_argoagent.model.resources import Resource

_RULES: Final = "x-kubernetes-validations"
_SCOPES: Final = ("Cluster", "Namespaced")
REMEMBERED: Final = 16
"""Definitions whose types are kept: the many servers of a simulated fleet define the same."""


def crd_types(crd: Mapping[str, Any]) -> tuple[ResourceType, ...]:
    """One type for each served version of a CustomResourceDefinition.

    Raises:
        Invalid: something that we need is missing or unusable; the causes name the field.
    """
    spec = {"spec": crd["spec"]} if "spec" in crd else {}
    return _types(encode(spec | {"metadata": {"name": crd["metadata"].get("name", "")}}))


@lru_cache(maxsize=REMEMBERED)
def _types(encoded: bytes) -> tuple[ResourceType, ...]:
    crd = msgspec.json.decode(encoded)
    problems: list[failures.Problem] = []
    try:
        spec = crd["spec"]
        problems += _faults(spec)
        names, group = spec["names"], spec["group"]
        types = tuple(
            _custom(
                Resource(group, v["name"], names["plural"], names["kind"], spec["scope"] == "Namespaced"),
                names,
                v,
            )
            for v in spec["versions"]
            if v.get("served")
        )
        wanted = f"{names['plural']}.{group}"
        if crd["metadata"]["name"] != wanted:
            problems.append(
                failures.invalid_value(
                    "metadata.name", crd["metadata"]["name"], 'must be spec.names.plural+"."+spec.group'
                )
            )
    except KeyError as exc:
        problems.append(failures.required(f"spec: {exc.args[0]}"))
    except (ValueError, TypeError, AttributeError) as exc:
        problems.append(failures.invalid_value("spec.versions", "", str(exc)))
    if problems:
        raise failures.invalid(CRDS.group, CRDS.kind, str(crd["metadata"].get("name", "")), problems)
    return types


def warnings(crd: Mapping[str, Any]) -> Sequence[str]:
    """What of a usable definition is not enforced, for whoever writes it."""
    versions = [version for version in crd["spec"]["versions"] if version.get("served")]
    return [
        f"{version['name']}: x-kubernetes-validations (CEL) are kept, but this server does not enforce them"
        for version in versions
        if _has_rules(version["schema"])
    ]


def _has_rules(schema: Any) -> bool:
    """Does CEL stand anywhere in there? (Compiled already, so not too deep.)"""
    if isinstance(schema, Mapping):
        return bool(schema.get(_RULES)) or any(_has_rules(part) for part in schema.values())
    return isinstance(schema, list) and any(_has_rules(part) for part in schema)


def _faults(spec: Mapping[str, Any]) -> Iterator[failures.Problem]:
    if spec["scope"] not in _SCOPES:
        yield failures.not_supported("spec.scope", spec["scope"], _SCOPES)
    stored = [version for version in spec["versions"] if version.get("storage")]
    if len(stored) != 1:
        text = "must have exactly one version marked as storage version"
        yield failures.invalid_value("spec.versions", [v.get("name") for v in spec["versions"]], text)
    strategy = (spec.get("conversion") or {}).get("strategy", "None")
    if strategy != "None" and len(spec["versions"]) > 1:
        yield failures.not_supported("spec.conversion.strategy", strategy, ("None",))
    for index, version in enumerate(spec["versions"]):
        # With one version it stands where it stood before there were many: in the texts only.
        place = "spec.validation" if len(spec["versions"]) == 1 else f"spec.versions[{index}].schema"
        schema = (version.get("schema") or {}).get("openAPIV3Schema")
        yield from structural.problems(schema, f"{place}.openAPIV3Schema")


def _custom(resource: Resource, names: Mapping[str, Any], version: Mapping[str, Any]) -> ResourceType:
    schema = version["schema"]["openAPIV3Schema"]
    columns = tuple(
        Column(
            column["name"],
            column["type"],
            column["jsonPath"],
            column.get("priority", 0),
            column.get("description")
            or f"Custom resource definition column (in JSONPath format): {column['jsonPath']}",
            column.get("format", ""),
        )
        for column in version.get("additionalPrinterColumns", ())
    )
    selectable = {
        field["jsonPath"].removeprefix("."): tuple(field["jsonPath"].removeprefix(".").split("."))
        for field in version.get("selectableFields", ())
    }
    return ResourceType(
        resource,
        singular=names.get("singular") or resource.kind.lower(),
        list_kind=names.get("listKind") or f"{resource.kind}List",
        short_names=tuple(names.get("shortNames", ())),
        categories=tuple(names.get("categories", ())),
        subresources=tuple(sub for sub in version.get("subresources", {}) if sub == "status"),
        columns=columns or AGE,
        schema=schema,
        shape=compile_schema(schema, root=True),
        custom=True,
        generations=True,
        selectable={**SELECTABLE, **selectable},
    )
