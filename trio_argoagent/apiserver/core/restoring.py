"""A store restored from a snapshot, as ``etcdutl snapshot restore`` does it: everything is as it was then.

Objects, and the resourceVersion itself, go back; what was written since never happened, and the versions that
it had are given again to other writes. Only the log goes on: it is what has really been done.

Watches must be ended first (``drop_watches``): a real server is down meanwhile. Definitions that were created
or changed since are not taken back.
"""

from __future__ import annotations

import bisect

from trio_argoagent.apiserver.core.store import Collection, Ref, Store
from trio_argoagent.errors import BadRequest


def restore(store: Store, rv: int) -> None:
    """Take the store back to what it was at that resourceVersion.

    Raises:
        Expired: its past does not reach back so far.
        BadRequest: that is still to come.
    """
    if rv > store.rv:
        raise BadRequest(f"resourceVersion {rv} is after {store.rv}, the newest")
    store.check_reachable(rv)
    store.uids.clear()
    store.dependents.clear()
    for (group, plural), collection in store.collections().items():
        _restore_collection(store, (group, plural), collection, rv)
    store.rv = rv


def _restore_collection(store: Store, where: tuple[str, str], collection: Collection, rv: int) -> None:
    then = collection.snapshot(rv)
    for key in list(collection.objects):
        collection.drop(key)
    for key, stored in then.items():
        collection.put(key, stored)
        namespace, _, name = key.partition("/")
        ref: Ref = (*where, namespace, name)
        store.uids[stored.uid] = ref
        for owner in stored.metadata.get("ownerReferences") or ():
            store.dependents.setdefault(owner["uid"], {})[ref] = None
    events = collection.events
    del events[bisect.bisect_right(events, rv, key=lambda entry: entry.rv) :]
