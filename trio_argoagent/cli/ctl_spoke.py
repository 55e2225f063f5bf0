"""``trio-argoagent ctl spoke unmark``: turns the copies on a spoke into free objects."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import click

from trio_argoagent.cli import running
from trio_argoagent.cli.contexts import Place
from trio_argoagent.errors import ApiError, NotFound, OutcomeUnknown, RemoteProtocolError, UserError
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import Resource
from trio_argoagent.ports.cluster import Cluster, MergePatch
from trio_argoagent.sync import kinds, names


def run_unmark(*, dry_run: bool, namespace: str, spoke: Place) -> None:
    """Take the marks off the copies of a spoke."""

    async def program() -> int:
        async with spoke.open() as cluster:
            done = await unmark(cluster, namespace, dry_run=dry_run)
        for line in done:
            click.echo(f"{'would unmark' if dry_run else 'unmarked'} {line}")
        click.echo(f"{len(done)} objects {'would be' if dry_run else 'are'} free objects now")
        return 0

    running.run(program)


def marks(obj: Object) -> list[str]:
    """The annotations by which this object is a copy of ours, or was one of argocd-agent's."""
    return [
        key
        for key in obj.annotations
        if key.startswith(names.OWN_PREFIX) or key in (names.SOURCE_UID, names.PRINCIPAL_UID)
    ]


async def unmark(spoke: Cluster, namespace: str, *, dry_run: bool = False) -> Sequence[str]:
    """Take the marks off every copy; nothing else of it changes. Returns which, for people.

    Args:
        spoke: its API. Its agent must not run: it would mark them again.
        namespace: where they are; empty: all namespaces.
        dry_run: only say which.

    Raises:
        UserError: the spoke does not let us; running it again goes on where it ended.
    """
    done = []
    for resource, selector in dict.fromkeys((row.resource, row.selector) for row in kinds.BASE.values()):
        try:
            for obj in await _marked(spoke, resource, namespace, selector):
                done.append(f"{resource.kind} {obj.meta.namespace}/{obj.meta.name}")
                if not dry_run:
                    await _free(spoke, resource, obj)
        except (ApiError, OutcomeUnknown, RemoteProtocolError) as exc:
            raise UserError(f"cannot unmark the {resource.plural} of the spoke: {exc}; run it again") from exc
    return done


async def _marked(spoke: Cluster, resource: Resource, namespace: str, selector: str) -> list[Object]:
    return [obj for obj in (await spoke.list(resource, namespace, selector=selector)).items if marks(obj)]


async def _free(spoke: Cluster, resource: Resource, obj: Object) -> None:
    gone = dict.fromkeys(marks(obj))
    patch = MergePatch({"metadata": {"uid": obj.meta.uid, "annotations": gone}})
    with suppress(NotFound):  # Gone meanwhile: that is free, too.
        await spoke.patch(resource, obj.meta.namespace, obj.meta.name, patch)
