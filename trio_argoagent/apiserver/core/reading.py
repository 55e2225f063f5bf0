"""Lists and watches: which state they show, and from where they go on.

Source: Kubernetes' API concepts ("Resource versions", "Retrieving large results sets in chunks") and
KEP-3157 (streaming lists).
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Final

import attrs

from trio_argoagent.apiserver.core import failures, selectors
from trio_argoagent.apiserver.core.kinds import ResourceType
from trio_argoagent.apiserver.core.store import Store, key_of
from trio_argoagent.apiserver.core.values import Page, Stored
from trio_argoagent.apiserver.core.watching import Watch
from trio_argoagent.errors import BadRequest, Expired

EXACT: Final = "Exact"
NOT_OLDER: Final = "NotOlderThan"

_CONTINUE_EXPIRED: Final = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new "
    "list without the continue parameter, or use the continue token in this response to retrieve the "
    "remainder of the results. Continuing with the provided token results in an inconsistent list - objects "
    "that were created, modified, or deleted between the time the first chunk was returned and now may show "
    "up in the list."
)


@attrs.frozen
class Selection:
    """What a list or watch is about: a namespace (empty: all), and the two selectors as they were sent."""

    namespace: str = ""
    labels: str = ""
    fields: str = ""

    def matcher(self, kind: ResourceType) -> selectors.Matcher | None:
        """Both selectors as one predicate; None when they select everything."""
        return selectors.both(
            selectors.match_labels(self.labels), selectors.match_fields(self.fields, kind.selectable)
        )


@attrs.frozen
class _Start:
    """From which state and after which key a list reads; an ``rv`` of -1 means the newest state."""

    rv: int = -1
    after: str = ""


def version_number(text: str) -> int:
    """A resourceVersion parameter as a number; empty is 0.

    Raises:
        BadRequest: it is not one.
    """
    if not text:
        return 0
    if not (text.isascii() and text.isdigit()):
        why = f'strconv.ParseUint: parsing "{text}": invalid syntax'
        problem = failures.invalid_value("resourceVersion", text, why)
        raise BadRequest(f"invalid resource version: {problem}")
    return int(text)


def list_page(
    store: Store,
    kind: ResourceType,
    selection: Selection,
    *,
    resource_version: str,
    match: str,
    limit: int,
    continue_token: str,
) -> Page:
    """Read one page.

    Raises:
        BadRequest: a selector or the token is not one.
        Invalid: the options contradict each other.
        Expired: the state asked for is no longer known.
        Unavailable: 504, the version asked for is in the future.
    """
    if continue_token:
        if resource_version not in ("", "0"):
            raise BadRequest("specifying resource version is not allowed when using continue")
        start = _decode_token(continue_token)
    else:
        start = _Start(_pick_version(store, resource_version, match, limit))
    matcher = selection.matcher(kind)
    collection = store.collection(kind.storage)
    if start.rv < 0 or start.rv == store.rv:
        rv, objects, keys = store.rv, collection.objects, collection.keys(selection.namespace)
    else:
        rv = start.rv
        _check_snapshot(store, start, bool(continue_token))
        objects = collection.snapshot(rv)
        prefix = f"{selection.namespace}/" if selection.namespace else ""
        keys = sorted(key for key in objects if key.startswith(prefix))
    found = [objects[key] for key in keys if key > start.after]
    if matcher is not None:
        found = [stored for stored in found if matcher(stored)]
    return _page(found, rv, limit, selected=matcher is not None)


def _page(found: list[Stored], rv: int, limit: int, *, selected: bool) -> Page:
    if not limit or len(found) <= limit:
        return Page(found, rv)
    items = found[:limit]
    token = _encode_token(rv, key_of(items[-1].namespace, items[-1].name))
    return Page(items, rv, token, None if selected else len(found) - limit)


def _pick_version(store: Store, resource_version: str, match: str, limit: int) -> int:
    if match not in ("", EXACT, NOT_OLDER):
        raise failures.bad_options("resourceVersionMatch", f"unsupported value {match!r}")
    if match and not resource_version:
        raise failures.bad_options(
            "resourceVersionMatch", "resourceVersionMatch is forbidden unless resourceVersion is provided"
        )
    rv = version_number(resource_version)
    if match == EXACT and rv == 0:
        raise failures.bad_options(
            "resourceVersionMatch", 'resourceVersionMatch "Exact" is forbidden for resourceVersion "0"'
        )
    if rv > store.rv:
        raise failures.too_large_version(rv, store.rv)
    # Without a match, a limit makes a version exact: that is how chunked lists began.
    exact = rv and (match == EXACT or (not match and limit))
    return rv if exact else -1


def _check_snapshot(store: Store, start: _Start, continued: bool) -> None:
    try:
        store.check_reachable(start.rv)
    except Expired:
        if not continued:
            raise Expired("The resourceVersion for the provided list is too old.") from None
        raise Expired(_CONTINUE_EXPIRED, details={"continue": _encode_token(-1, start.after)}) from None


def _encode_token(rv: int, after: str) -> str:
    text = json.dumps({"v": "meta.k8s.io/v1", "rv": rv, "start": after})
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode_token(token: str) -> _Start:
    try:
        value = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        return _Start(int(value["rv"]), str(value["start"]))
    except (binascii.Error, ValueError, KeyError, TypeError) as exc:
        raise BadRequest(f"invalid continue token: continue key is not valid: {exc}") from None


def open_watch(
    store: Store,
    kind: ResourceType,
    selection: Selection,
    *,
    resource_version: str,
    match: str,
    initial_events: bool | None,
    bookmarks: bool,
) -> Watch:
    """Begin to follow.

    Raises:
        BadRequest: a selector is not one.
        Invalid: the options contradict each other.
        Expired: the history does not reach back to ``resource_version``.
        Unavailable: 504, initial events of a future version are asked for.
    """
    _check_watch_options(match, initial_events)
    rv = version_number(resource_version)
    matcher = selection.matcher(kind)
    collection = store.collection(kind.storage)
    # A watch without a version begins with what is there: older than initial events, and without their end.
    synthetic = initial_events or (initial_events is None and rv == 0)
    if rv and not initial_events:
        store.check_reachable(rv)
    if initial_events and rv > store.rv:
        raise failures.too_large_version(rv, store.rv)
    watch = Watch(
        kind.resource,
        selection.namespace,
        matcher,
        bookmarks=bookmarks,
        since=store.rv if rv == 0 or initial_events else rv,
        on_close=store.close_watch,
    )
    if synthetic:
        found = [collection.objects[key] for key in collection.keys(selection.namespace)]
        shown = [stored for stored in found if matcher is None or matcher(stored)]
        watch.initial(shown, store.rv, end=bool(initial_events) and bookmarks)
    else:
        watch.replay(collection.since(rv))
    collection.watches.add(watch)
    return watch


def _check_watch_options(match: str, initial_events: bool | None) -> None:
    if initial_events is None and match:
        raise failures.bad_options(
            "resourceVersionMatch",
            "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
        )
    if initial_events is not None and match != NOT_OLDER:
        raise failures.bad_options(
            "resourceVersionMatch", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        )
