"""``trio-argoagent ctl agent token``: on a hub in process, and what users get wrong."""

from __future__ import annotations

import json
import random

import pytest
from cryptography.hazmat.primitives import hashes

from trio_argoagent.apiserver.crds import argocd_server
from trio_argoagent.apiserver.local import LocalCluster
from trio_argoagent.cli import ctl_agent, ctl_token
from trio_argoagent.cli.secretdata import opaque
from trio_argoagent.errors import UserError
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import NAMESPACES, SECRETS
from trio_argoagent.pki import tokens
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.ports.env import Env
from trio_argoagent.principal import claims
from trio_argoagent.principal import tokens as keeping
from trio_argoagent.principal.clusters import Pin, make_secret

from ..principal.enrolling import HUB, authority, put_authority
from .conftest import Run

NOW = 1_800_000_000.0
CHANCE = random.Random(1)
ENV = Env(now=lambda: NOW, random=CHANCE, entropy=CHANCE.randbytes)


async def make_hub(*agents: str, ca: bool = True) -> LocalCluster:
    """A hub with these agents."""
    cluster = LocalCluster(argocd_server(entropy=ENV.entropy), env=ENV, actor="user")
    await cluster.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": HUB}})
    for agent in agents:
        await cluster.create(SECRETS, make_secret(agent, HUB))
    if ca:
        await put_authority(cluster, authority())
    return cluster


async def test_made_listed_and_taken_back() -> None:
    """A token has the root's fingerprint; what the hub keeps, and what is said beside, is no token."""
    hub = await make_hub("east", "west")
    made = await ctl_token.create(hub, HUB, "west", 3600.0, ENV)
    text, token = ctl_token.as_text(made), made.token
    assert tokens.parse(token.text) == token and token.secret not in text
    assert "trio-argoagent agent --server-address" in text and "note" not in text
    assert token.pin == authority().certificate.fingerprint(hashes.SHA256()).hex()
    secret = await hub.get(SECRETS, HUB, keeping.secret_name(token.id))
    assert secret.labels == {keeping.LABEL: "west"} and keeping.read_secret(secret) == made.kept
    await ctl_token.create(hub, HUB, "east", 60.0, ENV, replace=True)
    document = json.loads(ctl_token.as_document(made))
    assert (document["token"], document["agent"]) == (token.text, "west")
    found = await ctl_token.read_all(hub, HUB)
    assert [(kept.agent, kept.replaces) for kept in found] == [("east", True), ("west", False)]
    table = ctl_token.listed_text(found, NOW + 60.0).splitlines()
    assert table[0].split() == ["ID", "AGENT", "EXPIRES", "REPLACES", "STATE"]
    assert [line.split()[-1] for line in table[1:]] == ["expired", "waits"]
    states = [each["state"] for each in json.loads(ctl_token.listed_document(found, NOW))]
    assert states == ["waits", "waits"] and token.secret not in ctl_token.listed_document(found, NOW)
    assert "is gone" in await ctl_token.revoke(hub, HUB, token.text)
    with pytest.raises(UserError, match="there is no token"):
        await ctl_token.revoke(hub, HUB, token.id)
    assert "there are no tokens" in ctl_token.listed_text([], NOW)


async def test_a_used_token_says_so() -> None:
    """And stays in the list until it is swept."""
    hub = await make_hub("east")
    made = await ctl_token.create(hub, HUB, "east", 60.0, ENV)
    secret = await hub.get(SECRETS, HUB, keeping.secret_name(made.token.id))
    await hub.patch(SECRETS, HUB, secret.meta.name, keeping.use(secret, "11" * 32, NOW, ""))
    assert ctl_token.listed_text(await ctl_token.read_all(hub, HUB), NOW).endswith("used")


async def test_a_name_that_has_a_certificate() -> None:
    """Of one that was issued here it is known until when; of a pinned one only that somebody has come."""
    hub = await make_hub("east")
    note = {claims.CERTIFICATE: f"AB {keeping.written(NOW + 60)}"}
    await hub.patch(SECRETS, HUB, "cluster-east", MergePatch({"metadata": {"annotations": note}}))
    with pytest.raises(UserError, match=r"has a certificate until .*Z: give --replace"):
        await ctl_token.create(hub, HUB, "east", 60.0, ENV)
    assert (await ctl_token.create(hub, HUB, "east", 60.0, ENV, replace=True)).kept.replaces
    await hub.create(SECRETS, make_secret("west", HUB, pin=Pin(Mode.MANAGED, "argocd", "u")))
    with pytest.raises(UserError, match="has a certificate: give --replace"):
        await ctl_token.create(hub, HUB, "west", 60.0, ENV)


async def test_an_agent_that_is_taken_off() -> None:
    """Takes its tokens along, and nobody else's."""
    hub = await make_hub("east", "west")
    made = [await ctl_token.create(hub, HUB, name, 60.0, ENV) for name in ("east", "west")]
    would = await ctl_agent.remove(hub, HUB, "east", dry_run=True)
    assert len(await ctl_token.read_all(hub, HUB)) == 2
    done = await ctl_agent.remove(hub, HUB, "east")
    gone = f"Secret cluster-east, Secret {keeping.secret_name(made[0].token.id)}"
    assert (would[0], done[0]) == (f"would remove: {gone}", f"removed: {gone}")
    assert [kept.agent for kept in await ctl_token.read_all(hub, HUB)] == ["west"]


async def test_two_roots() -> None:
    """While one takes over from another, the one counts that the principal's certificate comes from."""
    hub = await make_hub("east", ca=False)
    old, new = authority(), authority("new")
    bundle = {"ca.crt": new.certificate_pem + old.certificate_pem}
    await put_authority(hub, new, **bundle)
    first = await ctl_token.create(hub, HUB, "east", 60.0, ENV)
    leaf = old.issue_server(
        old.key.public_key(), name="p", hosts=["hub.example"], serial=1, now=NOW, lifetime=60.0
    )
    await hub.create(SECRETS, opaque(HUB, "argocd-agent-principal-tls", {"tls.crt": leaf}))
    second = await ctl_token.create(hub, HUB, "east", 60.0, ENV)
    pins = [each.certificate.fingerprint(hashes.SHA256()).hex() for each in (new, old)]
    assert [first.token.pin, second.token.pin] == pins


async def test_a_hub_without_the_agent_or_a_ca() -> None:
    """An agent may come later, with a note; a root must be there."""
    made = await ctl_token.create(await make_hub(), HUB, "north", 60.0, ENV)
    assert "note: the hub knows no agent north yet" in ctl_token.as_text(made)
    with pytest.raises(UserError, match="ctl pki init"):
        await ctl_token.create(await make_hub("east", ca=False), HUB, "east", 60.0, ENV)


@pytest.mark.parametrize(
    ("name", "ttl", "said"),
    [("Not A Name", 60.0, "cannot be"), ("east", 0.0, "--ttl"), ("east", 1e9, "--ttl")],
)
async def test_what_is_refused(name: str, ttl: float, said: str) -> None:
    """Before anything is asked of the hub."""
    with pytest.raises(UserError, match=said):
        await ctl_token.create(await make_hub(ca=False), HUB, name, ttl, ENV)


def test_the_short_form(run: Run) -> None:
    """``token NAME`` is ``token create NAME``, options before the name or after it."""
    missing = ("--kubeconfig", "/missing")
    for arguments in (("east",), ("--ttl", "2h", "east"), ("create", "list"), ("list",), ("revoke", "ab")):
        said = run("ctl", "agent", "token", *arguments, *missing)
        assert said.code == 2 and "no kubeconfig at /missing" in said.err
    said = run("ctl", "agent", "token", "east", "--ttl", "soon", *missing)
    assert said.code == 2 and "is no duration" in said.err
    assert "create" in run("ctl", "agent", "token", "--help").out
