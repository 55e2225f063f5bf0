"""The parameters of a request: a query (and for a delete its body) in, frozen values out.

Source: k8s.io/apimachinery pkg/apis/meta/v1/types.go (ListOptions, CreateOptions, DeleteOptions,
TableOptions) and pkg/runtime/converter.go for what counts as true.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

import attrs

from trio_argoagent.apiserver.core import failures
from trio_argoagent.apiserver.core.patches import APPLY_PATCH
from trio_argoagent.errors import BadRequest

Query: TypeAlias = Mapping[str, Sequence[str]]

DRY_RUN: Final = "All"
_VALIDATIONS: Final = ("", "Ignore", "Strict", "Warn")
_POLICIES: Final = ("Foreground", "Background", "Orphan")
_INCLUDE: Final = ("None", "Metadata", "Object")
_OPTIONS_GROUP: Final = "meta.k8s.io"
MAX_MANAGER: Final = 128  # characters of a field manager's name


def _text(query: Query, name: str) -> str:
    values = query.get(name)
    return values[0] if values else ""


def _flag(query: Query, name: str) -> bool:
    """Present and not a no: ``?watch`` alone is a yes."""
    values = query.get(name, ())
    return bool(values) and values[0].lower() not in ("false", "0")


def _number(query: Query, name: str) -> int:
    text = _text(query, name)
    if not text:
        return 0
    try:
        return int(text)
    except ValueError:
        raise BadRequest(
            f'strconv.ParseInt: parsing "{text}": invalid syntax'
        ) from None


def _one_of(kind: str, query: Query, name: str, allowed: Sequence[str], default: str) -> str:
    text = _text(query, name) or default
    if text not in allowed:
        problem = failures.not_supported(name, text, allowed)
        raise failures.invalid(_OPTIONS_GROUP, kind, "", [problem])
    return text


def _dry_run(kind: str, values: Sequence[Any]) -> bool:
    for value in values:
        if value != DRY_RUN:
            problem = failures.not_supported("dryRun", list(values), [DRY_RUN])
            raise failures.invalid(_OPTIONS_GROUP, kind, "", [problem])
    return bool(values)


@attrs.frozen
class ListOptions:
    """What a list, a watch or a deletion of a collection is about.

    Attributes:
        labels: label selector.
        fields: field selector.
        resource_version: see ``ApiServer.list`` and ``ApiServer.watch``.
        match: resourceVersionMatch.
        limit: the most items; 0: all.
        continue_token: of the page before.
        watch: is it a watch?
        timeout: seconds that a watch is to last; 0: as the server likes.
        bookmarks: does the watcher want them?
        initial_events: see ``ApiServer.watch``.
    """

    labels: str = ""
    fields: str = ""
    resource_version: str = ""
    match: str = ""
    limit: int = 0
    continue_token: str = ""
    watch: bool = False
    timeout: int = 0
    bookmarks: bool = False
    initial_events: bool | None = None

    @classmethod
    def read(cls, query: Query) -> ListOptions:
        """Those of a query.

        Raises:
            BadRequest: a number is none.
        """
        return cls(
            labels=_text(query, "labelSelector"),
            fields=_text(query, "fieldSelector"),
            resource_version=_text(query, "resourceVersion"),
            match=_text(query, "resourceVersionMatch"),
            limit=max(0, _number(query, "limit")),
            continue_token=_text(query, "continue"),
            watch=_flag(query, "watch"),
            timeout=max(0, _number(query, "timeoutSeconds")),
            bookmarks=_flag(query, "allowWatchBookmarks"),
            initial_events=_flag(query, "sendInitialEvents") if "sendInitialEvents" in query else None,
        )


@attrs.frozen
class WriteOptions:
    """How to carry out a create, update or patch.

    Attributes:
        dry_run: answer only.
        validation: ``Ignore``, ``Warn`` or ``Strict`` about unknown fields.
        manager: what the client calls itself; empty: it does not say.
        force: take fields from their owners; None: it does not say. For an apply only.
    """

    dry_run: bool = False
    validation: str = "Warn"
    manager: str = ""
    force: bool | None = None

    @classmethod
    def read(cls, query: Query) -> WriteOptions:
        """Those of a query.

        Raises:
            Invalid: a value is not one of those allowed.
        """
        manager = _text(query, "fieldManager")
        problems = []
        if len(manager) > MAX_MANAGER:
            text = f"Too long: may not be more than {MAX_MANAGER} bytes"
            problems.append(failures.Problem("fieldManager", "FieldValueTooLong", text))
        if not manager.isprintable():
            text = "should only contain printable characters"
            problems.append(failures.invalid_value("fieldManager", manager, text))
        if problems:
            raise failures.invalid(_OPTIONS_GROUP, "CreateOptions", "", problems)
        return cls(
            _dry_run("CreateOptions", query.get("dryRun", ())),
            _one_of("CreateOptions", query, "fieldValidation", _VALIDATIONS, "Warn"),
            manager,
            _flag(query, "force") if "force" in query else None,
        )

    def check_patch(self, content_type: str) -> None:
        """Do these options go with a patch of that type?

        Raises:
            Invalid: an apply without a manager, or ``force`` for anything else.
        """
        problem = None
        if content_type == APPLY_PATCH and not self.manager:
            problem = failures.required("fieldManager", "is required for apply patch")
        elif content_type != APPLY_PATCH and self.force is not None:
            problem = failures.forbidden_field("force", "may not be specified for non-apply patch")
        if problem is not None:
            raise failures.invalid(_OPTIONS_GROUP, "PatchOptions", "", [problem])


@attrs.frozen
class DeleteOptions:
    """How to delete.

    Attributes:
        uid: a precondition; empty: none.
        resource_version: likewise.
        propagation: ``Background``, ``Foreground``, ``Orphan`` or empty.
        dry_run: answer only.
    """

    uid: str = ""
    resource_version: str = ""
    propagation: str = ""
    dry_run: bool = False

    @classmethod
    def read(cls, query: Query, body: Any) -> DeleteOptions:
        """Those of a body; where there is none (None), those of the query.

        Raises:
            BadRequest: the body is not DeleteOptions.
            Invalid: a value is not one of those allowed.
        """
        if body is None:
            body = {
                "propagationPolicy": _text(query, "propagationPolicy"),
                "orphanDependents": _flag(query, "orphanDependents") or None,
                "dryRun": query.get("dryRun", ()),
            }
        if not isinstance(body, Mapping) or body.get("kind") not in (None, "", "DeleteOptions"):
            raise BadRequest("the body of a delete must be DeleteOptions")
        conditions = body.get("preconditions") or {}
        dry = body.get("dryRun") or query.get("dryRun", ())
        if not isinstance(conditions, Mapping) or not isinstance(dry, list | tuple):
            raise BadRequest("DeleteOptions: preconditions must be an object, dryRun a list")
        propagation = body.get("propagationPolicy") or ""
        if not propagation and body.get("orphanDependents"):
            propagation = "Orphan"
        if propagation not in ("", *_POLICIES):
            problem = failures.not_supported("propagationPolicy", propagation, [*_POLICIES, "nil"])
            raise failures.invalid(_OPTIONS_GROUP, "DeleteOptions", "", [problem])
        return cls(
            uid=str(conditions.get("uid") or ""),
            resource_version=str(conditions.get("resourceVersion") or ""),
            propagation=str(propagation),
            dry_run=_dry_run("DeleteOptions", dry),
        )


def include_object(query: Query) -> str:
    """How much of each object a row of a Table carries: ``None``, ``Metadata`` or ``Object``.

    Raises:
        Invalid: it says something else.
    """
    return _one_of("TableOptions", query, "includeObject", _INCLUDE, "Metadata")
