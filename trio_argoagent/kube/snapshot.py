"""A whole collection at one moment, read in pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import attrs
import trio

from trio_argoagent.errors import Expired, RemoteProtocolError, Unavailable
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import Resource
from trio_argoagent.ports.cluster import Cluster, ObjectList

PAGE: Final = 500
"""Objects of one page of a list: at 4 KB each, decoding one stays below 10 ms."""
PAGE_DEADLINE: Final = 60.0
"""Seconds for one page, whatever the cluster's own deadline is."""
BATCH: Final = 32
"""Objects worked on between two checkpoints."""


@attrs.frozen
class Collection:
    """What is read, and from where.

    Attributes:
        cluster: where it is read.
        resource: what is read.
        namespace: empty: of all namespaces.
        selector: a label selector; empty: everything.
        name: only the object of this name; empty: all.
    """

    cluster: Cluster
    resource: Resource
    namespace: str = ""
    selector: str = ""
    name: str = ""


async def read_snapshot(
    source: Collection, *, page: int = PAGE, transform: Callable[[Object], Object]
) -> tuple[list[Object], str]:
    """Read everything, consistently: all pages belong to one state of the store, the newest.

    Args:
        source: what to read.
        page: objects of one page; 0: all in one.
        transform: applied to each object as it comes, before the next page is read.

    Returns:
        The objects, and the resourceVersion they are a snapshot of.

    Raises:
        RemoteProtocolError: a page names no resourceVersion, so it is a snapshot of nothing.
        ApiError: the server says no, or gives no page within ``PAGE_DEADLINE`` (``Unavailable``).
    """
    try:
        return await _read_pages(source, page, transform)
    except Expired:
        if not page:
            raise
        # The server forgot the snapshot between two pages, and would do so again: one page needs no memory.
        return await _read_pages(source, 0, transform)


async def _read_pages(
    source: Collection, limit: int, transform: Callable[[Object], Object]
) -> tuple[list[Object], str]:
    items: list[Object] = []
    page = await _read_page(source, limit, "")
    version = page.resource_version
    while True:
        for start in range(0, len(page.items), BATCH):
            items += map(transform, page.items[start : start + BATCH])
            await trio.lowlevel.checkpoint()
        if not page.continue_token:
            return items, version
        page = await _read_page(source, limit, page.continue_token)
        if page.resource_version != version:
            # Some servers go on from a newer state rather than fail. What moved in between would be missing.
            raise Expired(f"the pages are of {version} and {page.resource_version}")


async def _read_page(source: Collection, limit: int, token: str) -> ObjectList:
    with trio.move_on_after(PAGE_DEADLINE):
        page = await source.cluster.list(
            source.resource,
            source.namespace,
            selector=source.selector,
            name=source.name,
            limit=limit,
            continue_token=token,
        )
        if not page.resource_version:
            # A snapshot of nothing: some proxy made it up, and taken at its word it would delete a fleet.
            raise RemoteProtocolError(f"the list of {source.resource} names no resourceVersion")
        return page
    raise Unavailable(f"no page of {source.resource} within {PAGE_DEADLINE:.0f} s")
