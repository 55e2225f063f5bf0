"""The Statuses a Kubernetes API server answers with: its own texts, reasons and details.

Source: k8s.io/apimachinery pkg/api/errors/errors.go and pkg/util/validation/field/errors.go. Programs match
on these texts (Argo CD and kubectl do), so they are part of the interface.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import attrs

from trio_argoagent.errors import (
    AlreadyExists,
    ApiError,
    BadRequest,
    Conflict,
    Expired,
    Forbidden,
    Invalid,
    MethodNotAllowed,
    NotFound,
    Unavailable,
    UnsupportedMedia,
)
from trio_argoagent.model.resources import Resource

MODIFIED: Final = (
    "the object has been modified; please apply your changes to the latest version and try again"
)
MAX_CAUSES: Final = 100  # causes in one Status; a hopeless object is not described without end


@attrs.frozen
class Problem:
    """One thing wrong with one field: a cause of an Invalid."""

    field: str
    reason: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


def quoted(value: Any) -> str:
    """A value as Go's field errors print it."""
    known = value is None or isinstance(value, str | int | float | dict | list)
    return json.dumps(value) if known else str(value)


def invalid_value(field: str, value: Any, detail: str) -> Problem:
    """The value is not acceptable."""
    return Problem(field, "FieldValueInvalid", f"Invalid value: {quoted(value)}: {detail}")


def immutable(field: str, value: Any) -> Problem:
    """The field may not change."""
    return invalid_value(field, value, "field is immutable")


def required(field: str, detail: str = "") -> Problem:
    """The field is missing."""
    return Problem(field, "FieldValueRequired", f"Required value: {detail}" if detail else "Required value")


def forbidden_field(field: str, detail: str) -> Problem:
    """The field may not be set (so)."""
    return Problem(field, "FieldValueForbidden", f"Forbidden: {detail}")


def not_supported(field: str, value: Any, allowed: Sequence[Any]) -> Problem:
    """The value is not of an enumeration."""
    supported = ", ".join(quoted(item) for item in allowed)
    return Problem(
        field,
        "FieldValueNotSupported",
        f"Unsupported value: {quoted(value)}: supported values: {supported}",
    )


def wrong_type(field: str, wanted: str, got: str) -> Problem:
    """The value is of another JSON type than the schema says."""
    detail = f'{field} in body must be of type {wanted}: "{got}"'
    return Problem(field, "FieldValueTypeInvalid", f'Invalid value: "{got}": {detail}')


def _details(resource: Resource, name: str, **more: Any) -> dict[str, Any]:
    details: dict[str, Any] = {"name": name, "group": resource.group, "kind": resource.plural, **more}
    return {key: value for key, value in details.items() if value != ""}


def not_found(resource: Resource, name: str) -> NotFound:
    """There is no such object."""
    return NotFound(f'{resource} "{name}" not found', details=_details(resource, name))


def no_such_resource() -> NotFound:
    """There is no such resource or subresource: what a path leads to that nothing serves."""
    return NotFound("the server could not find the requested resource")


def no_such_verb(verb: str) -> MethodNotAllowed:
    """The resource exists, but not with this verb."""
    return MethodNotAllowed(f"the server does not allow this method on the requested resource: {verb}")


def already_exists(resource: Resource, name: str) -> AlreadyExists:
    """The name is taken."""
    return AlreadyExists(f'{resource} "{name}" already exists', details=_details(resource, name))


def conflict(resource: Resource, name: str, why: str = MODIFIED, *, by_kind: bool = False) -> Conflict:
    """A precondition does not hold. ``by_kind``: call the resource by its kind, as deletions do."""
    if by_kind:
        resource = attrs.evolve(resource, plural=resource.kind)
    text = f'Operation cannot be fulfilled on {resource} "{name}": {why}'
    return Conflict(text, details=_details(resource, name))


def apply_conflict(text: str, causes: Sequence[Problem]) -> Conflict:
    """Others own what an apply would change."""
    return Conflict(text, details={"causes": _causes(causes)})


def forbidden(resource: Resource, name: str, why: str, causes: Sequence[Problem] = ()) -> Forbidden:
    """Policy says no."""
    more = {"causes": _causes(causes)} if causes else {}
    return Forbidden(f'{resource} "{name}" is forbidden: {why}', details=_details(resource, name, **more))


def invalid(group: str, kind: str, name: str, problems: Sequence[Problem]) -> Invalid:
    """The object is not acceptable; each problem becomes a cause."""
    texts = list(dict.fromkeys(map(str, problems[:MAX_CAUSES])))
    body = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    details: dict[str, Any] = {"name": name, "group": group, "kind": kind, "causes": _causes(problems)}
    return Invalid(
        f'{kind}{"." + group if group else ""} "{name}" is invalid: {body}',
        details={key: value for key, value in details.items() if value != ""},
    )


def _causes(problems: Sequence[Problem]) -> list[dict[str, str]]:
    return [{"reason": p.reason, "message": p.message, "field": p.field} for p in problems[:MAX_CAUSES]]


def bad_options(field: str, detail: str) -> Invalid:
    """The options of a list or watch contradict each other."""
    return invalid("meta.k8s.io", "ListOptions", "", [forbidden_field(field, detail)])


def patch_failed(why: str) -> Invalid:
    """A JSON patch does not apply: a test failed, or a path is missing."""
    return Invalid(
        "the server rejected our request due to an error in our request",
        details={"causes": [{"reason": "UnexpectedServerResponse", "message": why}]},
    )


def undecodable(resource: Resource, why: str) -> BadRequest:
    """The body is not an object of this kind."""
    kind = resource.kind
    return BadRequest(f'{kind} in version "{resource.version}" cannot be handled as a {kind}: {why}')


def unsupported_media(accepted: Sequence[str]) -> UnsupportedMedia:
    """The patch's content type does not fit the resource."""
    return UnsupportedMedia(
        "the body of the request was in an unknown format - accepted media types include: "
        + ", ".join(accepted)
    )


def expired(rv: int, floor: int) -> Expired:
    """The history does not reach back that far."""
    return Expired(f"too old resource version: {rv} ({floor})")


def too_large_version(rv: int, current: int) -> Unavailable:
    """Nobody has written that resourceVersion yet."""
    return Unavailable(
        f"Timeout: Too large resource version: {rv}, current: {current}",
        code=504,
        reason="Timeout",
        details={
            "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
            "retryAfterSeconds": 1,
        },
        retry_after=1.0,
    )


def internal(text: str) -> ApiError:
    """500, with the server's text."""
    return ApiError(text)
