"""Reads what checks ask for. What cannot be read is said so, and keeps no other check from being judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import attrs
import trio

from trio_argoagent.cli.validation.asked import PARAMETERS
from trio_argoagent.cli.validation.checks import Query, Side, Sight, Unread
from trio_argoagent.cli.validation.registrations import value
from trio_argoagent.errors import ApiError, NotFound, RemoteProtocolError
from trio_argoagent.model.objects import Object
from trio_argoagent.ports.cluster import Cluster

AT_ONCE: Final = 8
"""Requests under way."""


async def read(
    wanted: Iterable[Query],
    clusters: Mapping[Side, Cluster],
    namespaces: Mapping[Side, str],
    now: float,
) -> Sight:
    """Ask each of these.

    Args:
        wanted: the questions.
        clusters: those of one that is missing are answered with that.
        namespaces: Argo CD's on each of them.
        now: wall time, Unix seconds.
    """
    found: dict[Query, Sequence[Object] | Unread] = {}
    names: dict[Query, str] = {}
    files: dict[Query, str] = {}
    limiter = trio.CapacityLimiter(AT_ONCE)

    async def ask(query: Query) -> None:
        named = attrs.evolve(query, name=names.get(query, query.name))
        async with limiter:
            found[query] = await _answer(named, clusters.get(query.side), namespaces.get(query.side, ""))

    async def ask_all(queries: Iterable[Query]) -> None:
        async with trio.open_nursery() as nursery:
            for query in queries:
                nursery.start_soon(ask, query)

    every = list(wanted)
    # What the programs are told says what else is to be read.
    await ask_all(query for query in every if query.name == PARAMETERS)
    first = Sight(now, namespaces, found)
    told = {query.side: first.one(query) for query in found}
    for query in every:
        for key, where in ((query.named_by, names), (query.filed_by, files)):
            if text := value(told.get(query.side), key):
                where[query] = text
    await ask_all(query for query in every if query not in found)
    return Sight(now, namespaces, found, names, files)


async def _answer(query: Query, cluster: Cluster | None, namespace: str) -> Sequence[Object] | Unread:
    if cluster is None:
        await trio.lowlevel.checkpoint()
        return Unread(f"no {query.side} was named")
    where = "" if query.everywhere else namespace
    try:
        if query.name:
            return [await cluster.get(query.resource, where, query.name)]
        return (await cluster.list(query.resource, where, selector=query.selector)).items
    except NotFound:
        return []  # None of them, or the cluster has no such kind: a Route outside OpenShift.
    except (ApiError, RemoteProtocolError) as exc:
        return Unread(str(exc))
