"""``trio-argoagent ctl pki rotate-ca``: phase after phase on an embedded API server; what it leaves alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio

from trio_argoagent.apiserver.crds import argocd_server
from trio_argoagent.apiserver.local import LocalCluster
from trio_argoagent.cli import ctl_pki, ctl_rotate, secretdata, vaults
from trio_argoagent.cli.clusterconfig import read_config
from trio_argoagent.cli.ctl_rotate import Standing
from trio_argoagent.cli.key_options import Order
from trio_argoagent.cli.vaults import ClusterVault
from trio_argoagent.errors import UserError
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import NAMESPACES, SECRETS
from trio_argoagent.pki import keys, rotation
from trio_argoagent.pki.bundles import Bundle, fingerprint, issued_by
from trio_argoagent.pki.inspection import Role, inspect
from trio_argoagent.pki.rotation import Phase
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.principal.clusters import make_secret, secret_name
from trio_argoagent.principal.trust import TRUST, Seen
from trio_argoagent.runtime.world import real_env

from .conftest import Run

ENV, ORDER, HUB = real_env(), Order(), "argocd"
HOSTS = ("hub.example", "192.0.2.1")


class Crash(Exception):
    """The command is killed."""


async def make_hub(*agents: str) -> ClusterVault:
    """A hub with a CA, what it has issued, and the cluster secrets of these agents."""
    server = argocd_server(entropy=ENV.entropy, history=0, now=ENV.now())
    vault = ClusterVault(LocalCluster(server, env=ENV, actor="operator"), HUB)
    await vault.cluster.create(
        NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": HUB}}
    )
    await ctl_pki.init(vault, ORDER, ENV, force=False)
    await ctl_pki.issue_server(vault, "principal", HOSTS, ORDER, ENV, upsert=False)
    authority, _ = await ctl_pki.load(vault)
    key = keys.new_key()
    for name in agents:
        leaf = authority.issue_client(key.public_key(), agent=name, serial=2**99, now=ENV.now(), lifetime=1e6)
        tls = {"tls.crt": leaf, "tls.key": keys.key_pem(key), "ca.crt": authority.certificate_pem}
        await vault.cluster.create(SECRETS, make_secret(name, HUB, tls=tls))
    return vault


async def seen(vault: ClusterVault, agent: str, roots: Sequence[str] | None, issuer: str) -> None:
    """The principal has written down what it saw."""
    said = Seen(int(ENV.now()) + 1, issuer, None if roots is None else tuple(roots))
    patch = MergePatch({"metadata": {"annotations": {TRUST: msgspec.json.encode(said).decode()}}})
    await vault.cluster.patch(SECRETS, vault.namespace, secret_name(agent), patch)


async def rotate(vault: ClusterVault, *without: str, abort: bool = False) -> Standing:
    """One run of the command."""
    return await ctl_rotate.rotate(vault, ORDER, ENV, without=without, abort=abort)


async def roots(vault: ClusterVault) -> tuple[str, ...]:
    """Fingerprints of what is to be trusted."""
    return (await ctl_pki.trusted(vault)).fingerprints


async def signer(vault: ClusterVault) -> str:
    """Of whom a certificate would be now."""
    authority, _ = await ctl_pki.load(vault)
    return fingerprint(authority.certificate)


async def cluster_tls(vault: ClusterVault, agent: str) -> dict[str, bytes]:
    """What Argo CD shows and trusts for this agent."""
    found = await secretdata.find(vault.cluster, vault.namespace, secret_name(agent))
    assert found is not None
    return dict(read_config(found).tls)


async def secret_of(vault: ClusterVault) -> Object:
    """The authority's."""
    return await vault.cluster.get(SECRETS, vault.namespace, vaults.CA)


async def test_from_one_root_to_another(autojump_clock: trio.testing.MockClock) -> None:
    """No phase comes before every agent is ready for it; at the end nothing of the old root is left."""
    vault = await make_hub("east", "west")
    old = await signer(vault)

    standing = await rotate(vault)
    state = standing.rotation
    assert state is not None
    assert (state.phase, state.old, await signer(vault)) == (Phase.TRUST, old, old)
    assert await roots(vault) == (old, state.new)
    assert [each.name for each in standing.verdict.waits] == ["east", "west"]
    assert "no principal answers" in ctl_rotate.as_text(standing)
    both = Bundle.read((await cluster_tls(vault, "east"))["ca.crt"])
    assert both.fingerprints == (old, state.new)

    await seen(vault, "east", (old, state.new), old)
    await seen(vault, "west", (old,), old)
    standing = await rotate(vault)
    assert standing.rotation == state
    assert [each.name for each in standing.verdict.waits] == ["west"]
    assert await signer(vault) == old

    await seen(vault, "west", (old, state.new), old)
    standing = await rotate(vault)
    assert standing.rotation is not None
    assert standing.rotation.phase is Phase.RENEW
    assert await signer(vault) == state.new
    assert set(await roots(vault)) == {old, state.new}
    kept = await vault.read(vaults.PRINCIPAL)
    assert kept is not None
    leaf = keys.load_certificates(kept.data["tls.crt"])[0]
    new_root = both.roots[1]
    assert issued_by(leaf, new_root)
    found = inspect(leaf, Role.SERVER, ENV.now())
    assert ((*found.dns, *found.ips), found.subject) == (HOSTS, "CN=argocd-agent-principal")
    tls = await cluster_tls(vault, "west")
    shown = keys.load_certificates(tls["tls.crt"])[0]
    assert issued_by(shown, new_root)
    assert keys.load_key(tls["tls.key"]).public_key() == shown.public_key()

    await seen(vault, "east", (old, state.new), state.new)
    assert [each.name for each in (await rotate(vault)).verdict.waits] == ["west"]
    await seen(vault, "west", (old, state.new), state.new)
    standing = await rotate(vault)
    assert standing.rotation is not None
    assert standing.rotation.phase is Phase.DROP
    assert await roots(vault) == (state.new,)
    assert Bundle.read((await cluster_tls(vault, "east"))["ca.crt"]).fingerprints == (state.new,)

    await seen(vault, "east", (state.new,), state.new)
    await seen(vault, "west", (state.new,), state.new)
    standing = await rotate(vault)
    assert standing.rotation is None
    assert standing.done[-1] == f"the root {state.new} has taken over"
    secret = await secret_of(vault)
    assert sorted(secret.get("data") or {}) == ["tls.crt", "tls.key"]
    assert rotation.ANNOTATION not in secret.annotations
    assert secret.annotations[rotation.DROPPED] == old
    assert ctl_rotate.as_text(await ctl_rotate.look(vault, ENV)) == "no rotation is under way"


async def test_a_hub_without_agents_is_through_at_once(autojump_clock: trio.testing.MockClock) -> None:
    """There is nobody to wait for."""
    vault = await make_hub()
    old = await signer(vault)
    standing = await rotate(vault)
    assert standing.rotation is None
    assert await roots(vault) == (await signer(vault),) != (old,)


async def test_an_agent_that_is_not_waited_for(autojump_clock: trio.testing.MockClock) -> None:
    """Only if a person says so, by its name, which must be right; then it stays said."""
    vault = await make_hub("east", "gone")
    state = (await rotate(vault)).rotation
    assert state is not None
    await seen(vault, "east", (state.new,), state.new)
    assert [each.name for each in (await rotate(vault)).verdict.waits] == ["gone"]
    with pytest.raises(UserError, match="--without gon: the hub knows no such agent"):
        await rotate(vault, "gon")
    assert (await ctl_rotate.look(vault, ENV)).rotation == state
    standing = await rotate(vault, "gone")
    assert standing.rotation is None  # The other one was ready for everything.
    assert await signer(vault) == state.new


async def test_the_way_back(autojump_clock: trio.testing.MockClock) -> None:
    """As long as the new root has issued nothing; whoever trusts it by now is waited for."""
    vault = await make_hub("east")
    old = await signer(vault)
    begun = (await rotate(vault)).rotation
    assert begun is not None
    await seen(vault, "east", (old, begun.new), old)
    standing = await rotate(vault, abort=True)
    assert standing.rotation is not None
    assert (standing.rotation.phase, standing.rotation.old) == (Phase.DROP, begun.new)
    assert await roots(vault) == (old,)
    assert [each.why.endswith("still trusts the old root") for each in standing.verdict.waits] == [True]
    assert begun.new not in str((await secret_of(vault)).get("data"))
    await seen(vault, "east", (old,), old)
    assert (await rotate(vault)).rotation is None
    assert await signer(vault) == old
    assert sorted((await secret_of(vault)).get("data") or {}) == ["tls.crt", "tls.key"]
    assert (await secret_of(vault)).annotations[rotation.DROPPED] == begun.new


async def test_too_late_for_the_way_back(autojump_clock: trio.testing.MockClock) -> None:
    """Said, and nothing changes."""
    vault = await make_hub("east")
    state = (await rotate(vault)).rotation
    assert state is not None
    await seen(vault, "east", (state.old, state.new), state.old)
    await rotate(vault)
    before = await vault.read(vaults.CA)
    with pytest.raises(UserError, match="in phase renew: the new root issues already"):
        await rotate(vault, abort=True)
    assert await vault.read(vaults.CA) == before


async def test_what_was_seen_before_does_not_count(autojump_clock: trio.testing.MockClock) -> None:
    """What is left from an earlier rotation says nothing about this one."""
    vault = await make_hub("east")
    said = msgspec.json.encode(Seen(1, "", ("A" * 64,))).decode()
    patch = MergePatch({"metadata": {"annotations": {TRUST: said}}})
    await vault.cluster.patch(SECRETS, HUB, secret_name("east"), patch)
    (waiting,) = (await rotate(vault)).verdict.waits
    assert waiting.why.endswith("has not said what it trusts")


async def test_what_others_have_issued_stays(autojump_clock: trio.testing.MockClock) -> None:
    """A principal's certificate of another CA, and a cluster secret that is none of ours."""
    vault, other = await make_hub("east"), await make_hub()
    theirs = await other.read(vaults.PRINCIPAL)
    ours = await vault.read(vaults.PRINCIPAL)
    assert theirs is not None
    await vault.write(vaults.PRINCIPAL, theirs.data, over=ours)
    config = {"tlsClientConfig": {"insecure": True}}
    value = make_secret("hand", HUB) | {"stringData": {"config": json.dumps(config), "server": "https://x"}}
    await vault.cluster.create(SECRETS, value)
    state = (await rotate(vault)).rotation
    assert state is not None
    for name in ("east", "hand"):
        await seen(vault, name, (state.old, state.new), state.old)
    await rotate(vault)
    now = await vault.read(vaults.PRINCIPAL)
    assert now is not None
    assert now.data == theirs.data
    assert await cluster_tls(vault, "hand") == {}


@pytest.mark.parametrize("phase", [Phase.ISSUE, Phase.RENEW])
async def test_a_run_that_was_interrupted_is_run_again(
    autojump_clock: trio.testing.MockClock, phase: Phase
) -> None:
    """Between two writes: the next run does the rest."""
    vault = await make_hub("east")
    state = (await rotate(vault)).rotation
    assert state is not None
    await seen(vault, "east", (state.old, state.new), state.old)
    writes = 0
    limit = {Phase.ISSUE: 1, Phase.RENEW: 2}[phase]
    inner = vault.cluster.patch

    async def patch(*arguments: Any) -> Object:
        nonlocal writes
        writes += 1
        if writes > limit:
            raise Crash
        return await inner(*arguments)

    broken = ClusterVault(_Patched(vault.cluster, patch), HUB)
    with pytest.raises(Crash):
        await rotate(broken)
    standing = await rotate(vault)
    assert standing.rotation is not None
    assert standing.rotation.phase is Phase.RENEW
    kept = await vault.read(vaults.PRINCIPAL)
    assert kept is not None
    authority, _ = await ctl_pki.load(vault)
    assert issued_by(keys.load_certificates(kept.data["tls.crt"])[0], authority.certificate)
    shown = (await cluster_tls(vault, "east"))["tls.crt"]
    assert issued_by(keys.load_certificates(shown)[0], authority.certificate)


class _Patched:
    """A cluster whose patches go elsewhere."""

    def __init__(self, cluster: Any, patch: Any) -> None:
        self._cluster, self.patch = cluster, patch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cluster, name)


async def test_for_programs(autojump_clock: trio.testing.MockClock) -> None:
    """The same as JSON."""
    vault = await make_hub("east")
    document = ctl_rotate.as_document(await rotate(vault))
    assert (document["phase"], document["agents"], list(document["waitsFor"])) == ("trust", 1, ["east"])
    assert ctl_rotate.as_document(Standing(None)) == {"phase": None, "done": []}


async def test_there_must_be_a_ca(autojump_clock: trio.testing.MockClock) -> None:
    """And a rotation, for whoever wants to change one."""
    vault = await make_hub()
    for given in ({"without": ["east"]}, {"abort": True}):
        with pytest.raises(UserError, match="no rotation is under way"):
            await ctl_rotate.rotate(vault, ORDER, ENV, **given)  # type: ignore[arg-type]
    await vault.delete(vaults.CA)
    with pytest.raises(UserError, match="to make a CA"):
        await rotate(vault)


def test_status_changes_nothing(run: Run, tmp_path: Path) -> None:
    """So it goes with no other wish."""
    assert "give it alone" in run("ctl", "pki", "rotate-ca", "--status", "--abort").line
