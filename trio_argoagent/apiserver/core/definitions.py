"""What a CustomResourceDefinition makes the server serve.

Read in full are names, scope, versions, schema, the status subresource, printer columns and selectable
fields. All versions share one storage, and nothing is converted between them: enough for kinds of one
version.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trio_argoagent.apiserver.core import failures
from trio_argoagent.apiserver.core.kinds import AGE, CRDS, SELECTABLE, Column, ResourceType
from trio_argoagent.apiserver.core.schema import compile_schema
from trio_argoagent.model.resources import Resource


def crd_types(crd: Mapping[str, Any]) -> tuple[ResourceType, ...]:
    """One type for each served version of a CustomResourceDefinition.

    Raises:
        Invalid: something that we need is missing or unusable; the causes name the field.
    """
    problems: list[failures.Problem] = []
    try:
        spec = crd["spec"]
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


def _custom(resource: Resource, names: Mapping[str, Any], version: Mapping[str, Any]) -> ResourceType:
    schema = version["schema"]["openAPIV3Schema"]
    columns = tuple(
        Column(
            column["name"],
            column["type"],
            column["jsonPath"],
            column.get("priority", 0),
            column.get("description", ""),
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
