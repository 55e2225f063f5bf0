"""Is a source still the one it was: the same namespace, mapping and memory?

What a source says of itself with each link is compared with what its replica remembers (in its own cluster:
see ``replication.memory``). Where they do not fit, an absence may be anything: the guard then holds every
inferred deletion until a person confirms it, or until both sides agree, which leaves nothing to hold.

The counter of sessions lives in the source's cluster, so that a restore takes it back. It finds a restore
that resourceVersions do not show: of an etcd whose revisions were bumped, or which has caught up since.
"""

from __future__ import annotations

import json
from typing import Final

import attrs

LEAVING: Final = " (deleting)"
"""Follows the uid of a namespace that is on its way out: it is another one already."""
_NAMESPACE: Final = "the source's namespace is being deleted, or was deleted and created again"


@attrs.frozen
class View:
    """What a source says of itself; an empty field is not known, and fits everything.

    Attributes:
        namespace: uid of the namespace that its objects lie in.
        mapping: digest of what selects and maps them.
        sessions: counts its links, coarsely; kept in its own cluster.
        doubt: of what is remembered: why the source was not believed when it came next. It stands until both
            sides agree: the counter of a restored source soon catches up.
    """

    namespace: str
    mapping: str
    sessions: int
    doubt: str = ""


def doubt(before: View | None, now: View) -> str:
    """Why what is absent from this view may not have been deleted; empty: no reason.

    Args:
        before: what is remembered; None: nothing.
        now: what the source says of itself.
    """
    if now.namespace.endswith(LEAVING):
        return _NAMESPACE
    if before is None:
        return ""
    if before.doubt:
        return before.doubt
    if now.sessions < before.sessions:
        links = f"it has counted {now.sessions} sessions, and {before.sessions} before"
        return f"the source was restored from a backup: {links}"
    if before.namespace and now.namespace and before.namespace != now.namespace:
        return _NAMESPACE
    if before.mapping and now.mapping and before.mapping != now.mapping:
        return "the source maps or selects its objects in another way than before"
    return ""


def merged(before: View | None, now: View) -> View:
    """What to remember once ``now`` is believed: what it does not tell stays known."""
    if before is None:
        return now
    return View(now.namespace or before.namespace, now.mapping or before.mapping, now.sessions)


def dump(view: View) -> str:
    """The view as one line of JSON."""
    return json.dumps(attrs.asdict(view), sort_keys=True)


def load(text: str) -> View | None:
    """The view of such a line; None where it is none: then nothing is remembered."""
    try:
        value = json.loads(text)
        doubted = str(value.get("doubt", ""))
        return View(str(value["namespace"]), str(value["mapping"]), int(value["sessions"]), doubted)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
