"""What is read of two clusters: by the names that the programs are told, and what cannot be read."""

from __future__ import annotations

from trio_argoagent.apiserver.local import Call
from trio_argoagent.cli.ctl_validate import validate
from trio_argoagent.cli.secretdata import opaque
from trio_argoagent.cli.validation import asked, hub, spoke
from trio_argoagent.cli.validation.checks import Level, Side, Unread, queries
from trio_argoagent.cli.validation.reading import read
from trio_argoagent.errors import Forbidden
from trio_argoagent.model.resources import CONFIG_MAPS, SECRETS, Resource

from ..hubs import HUB, NOW, make_cluster
from .sights import server

SPOKE = "argo"
NAMESPACES = {Side.HUB: HUB, Side.SPOKE: SPOKE}
EVERY = queries((*hub.CHECKS, *spoke.CHECKS))


class Refusing:
    """A gate that lets nobody read these."""

    def __init__(self, *resources: Resource) -> None:
        self.resources = resources

    async def before(self, call: Call) -> None:
        """Says no."""
        if call.resource in self.resources:
            raise Forbidden("no right")

    async def after(self, call: Call) -> None:
        """Says nothing."""


async def test_empty_clusters() -> None:
    """Everything is read, nothing is there, and the findings say what to do first."""
    clusters = {Side.HUB: await make_cluster(HUB), Side.SPOKE: await make_cluster(SPOKE)}
    sight = await read(EVERY, clusters, NAMESPACES, NOW)
    assert {query for query, found in sight.found.items() if found} == {asked.HUB_NAMESPACES}
    assert list(sight.found) != []
    results = await validate(clusters, NAMESPACES, NOW)
    wrong = [each.text for each in results if each.level is Level.FAIL]
    assert any("trio-argoagent ctl pki init" in text for text in wrong)
    assert any("there is no Argo CD in namespace argocd" in text for text in wrong)


async def test_other_names() -> None:
    """A Secret that the program is told by another name is looked for by that; a file is not looked at."""
    cluster = await make_cluster(HUB)
    data = {"principal.tls.secret-name": "mine", "principal.tls.server.root-ca-path": "/ca.crt"}
    metadata = {"name": asked.PARAMETERS, "namespace": HUB}
    await cluster.create(
        CONFIG_MAPS, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
    )
    await cluster.create(SECRETS, opaque(HUB, "mine", server()))
    sight = await read(EVERY, {Side.HUB: cluster}, NAMESPACES, NOW)
    found = sight.one(asked.HUB_TLS)
    assert found is not None and found.meta.name == "mine"
    assert sight.where(asked.HUB_TLS) == "Secret argocd/mine"
    (result,) = [r for r in await validate({Side.HUB: cluster}, NAMESPACES, NOW) if r.check == "the CA"]
    assert result.level is Level.OK
    assert result.text.endswith("there is a file, /ca.crt")


async def test_without_rights() -> None:
    """What may not be read is said so; the rest is judged."""
    cluster = await make_cluster(HUB, gate=Refusing(SECRETS))
    sight = await read(EVERY, {Side.HUB: cluster}, NAMESPACES, NOW)
    for query, found in sight.found.items():
        if query.side is Side.SPOKE:
            assert found == Unread("no spoke was named")
        else:
            assert isinstance(found, Unread) == (query.resource == SECRETS)
