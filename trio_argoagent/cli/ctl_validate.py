"""``trio-argoagent ctl validate``: is this installation as it should be?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack

import click

from trio_argoagent.cli import running
from trio_argoagent.cli.contexts import Place
from trio_argoagent.cli.output import rendered
from trio_argoagent.cli.validation import hub as on_hub
from trio_argoagent.cli.validation import spoke as on_spoke
from trio_argoagent.cli.validation.checks import (
    Result,
    Side,
    as_document,
    as_text,
    failed,
    judge,
    queries,
)
from trio_argoagent.cli.validation.reading import read
from trio_argoagent.ports.cluster import Cluster
from trio_argoagent.runtime.world import real_env


def run_validate(*, hub: Place, spoke: Place | None, output: str) -> None:
    """Look, print, and end with 1 if something does not work."""
    places = {Side.HUB: hub} | ({Side.SPOKE: spoke} if spoke is not None else {})

    async def program() -> int:
        async with AsyncExitStack() as stack:
            clusters = {side: await stack.enter_async_context(place.open()) for side, place in places.items()}
            namespaces = {side: place.namespace for side, place in places.items()}
            results = await validate(clusters, namespaces, real_env().now())
        click.echo(rendered(output, as_text(results), as_document(results)))
        return int(failed(results))

    running.run(program)


async def validate(
    clusters: Mapping[Side, Cluster], namespaces: Mapping[Side, str], now: float
) -> Sequence[Result]:
    """Look at a hub, and at a spoke of it if one is named.

    Args:
        clusters: their APIs.
        namespaces: Argo CD's in them.
        now: Unix seconds.
    """
    checks = (*on_hub.CHECKS, *(on_spoke.CHECKS if Side.SPOKE in clusters else ()))
    return judge(checks, await read(queries(checks), clusters, namespaces, now))
