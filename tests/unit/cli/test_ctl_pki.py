"""``trio-argoagent ctl pki``: on files, over two clusters; what it makes works in TLS; what it refuses."""

from __future__ import annotations

import base64
import json
import stat
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from trio_argoagent.cli import ctl_pki, ctl_pki_show, vaults
from trio_argoagent.cli.contexts import Place
from trio_argoagent.cli.key_options import Order
from trio_argoagent.cli.vaults import ClusterVault, FolderVault, open_hub, open_spoke
from trio_argoagent.errors import UserError
from trio_argoagent.model.resources import SECRETS
from trio_argoagent.net.contexts import client_context, server_context
from trio_argoagent.pki import keys
from trio_argoagent.pki.bundles import Bundle
from trio_argoagent.runtime.world import real_env
from trio_argoagent.testing.machine import Machine, Pki

from ..pki.certificates import CLIENT, authority, peers_authority, peers_leaf, shake
from .conftest import Run

ORDER = Order()
ENV = real_env()
SPOKE = "argocd"


@asynccontextmanager
async def clusters(folder: Path) -> AsyncIterator[tuple[ClusterVault, ClusterVault]]:
    """A hub and a spoke, each an embedded API server over HTTPS, as kubeconfigs name them."""
    pki = Pki.create(ENV)
    hub, spoke = Machine("hub", pki, ENV, folder), Machine("spoke", pki, ENV, folder)
    async with trio.open_nursery() as nursery:
        for machine in (hub, spoke):
            await nursery.start(machine.run)
            await machine.make_namespaces("argocd")
        async with (
            open_hub(Place(str(hub.kubeconfig)), "") as ours,
            open_spoke(Place(str(spoke.kubeconfig)), "") as theirs,
        ):
            assert isinstance(ours, ClusterVault)
            assert isinstance(theirs, ClusterVault)
            yield ours, theirs
        nursery.cancel_scope.cancel()


async def set_up(hub: vaults.Vault, spoke: vaults.Vault, name: str = "edge") -> None:
    """What an operator does for one agent."""
    await ctl_pki.init(hub, ORDER, ENV, force=False)
    await ctl_pki.issue_server(hub, "principal", ("localhost",), ORDER, ENV, upsert=False)
    await ctl_pki.issue_agent(hub, spoke, name, ORDER, ENV, upsert=False)
    await ctl_pki.propagate(hub, spoke, force=False)


async def connect(hub: vaults.Vault, spoke: vaults.Vault) -> str:
    """A handshake of what lies there, as strict as the programs' contexts; the agent's name."""
    files = {
        name: dict(kept.data)
        for name, vault in (("ca", hub), (vaults.PRINCIPAL, hub), (vaults.CLIENT, spoke), (vaults.CA, spoke))
        if (kept := await vault.read(vaults.CA if name == "ca" else name)) is not None
    }
    mine, theirs = files[vaults.PRINCIPAL], files[vaults.CLIENT]
    return shake(
        server_context(
            certificate=mine["tls.crt"],
            key=mine["tls.key"],
            client_ca=files["ca"]["tls.crt"],
            require_client=True,
            alpn=("h2",),
        ),
        client_context(
            ca=files[vaults.CA]["ca.crt"],
            certificate=theirs["tls.crt"],
            key=theirs["tls.key"],
            alpn=("h2",),
        ),
    )


async def test_over_two_clusters(tmp_path: Path) -> None:
    """Made, issued, propagated, used in TLS, inspected, deleted; Secrets as argocd-agent has them."""
    async with clusters(tmp_path) as (hub, spoke):
        await set_up(hub, spoke)
        assert await connect(hub, spoke) == "edge"
        secret = await hub.cluster.get(SECRETS, "argocd", "argocd-agent-ca")
        assert (secret.get("type"), sorted(secret.get("data") or {})) == (vaults.TLS, ["tls.crt", "tls.key"])
        secret = await spoke.cluster.get(SECRETS, SPOKE, "argocd-agent-ca")
        assert (secret.get("type"), sorted(secret.get("data") or {})) == (vaults.OPAQUE, ["ca.crt"])
        found = await ctl_pki_show.inspect_hub(hub, ENV.now(), full=False)
        assert list(found) == ["ca", "principal"]
        found |= await ctl_pki_show.inspect_spoke(spoke, ENV.now(), full=True)
        assert found["agent"]["uris"] == ["spiffe://argocd-agent/argocd-agent/agent/edge"]
        assert not any(each["warnings"] for each in (found["ca"], found["principal"], found["agent"]))
        assert found["agentCA"][0]["sha256"] == found["ca"]["sha256"]
        assert "BEGIN CERTIFICATE" in ctl_pki_show.as_text(found)
        await hub.delete(vaults.CA)
        with pytest.raises(UserError, match="there is no Secret argocd/argocd-agent-ca; to make a CA"):
            await ctl_pki_show.inspect_hub(hub, ENV.now(), full=False)


@pytest.mark.parametrize("over", ["clusters", "files"])
async def test_nothing_is_overwritten_unless_told(tmp_path: Path, over: str) -> None:
    """A refused command changes nothing; a forced one says what it means."""
    if over == "clusters":
        async with clusters(tmp_path) as (hub, spoke):
            await check_overwriting(hub, spoke)
    else:
        await check_overwriting(FolderVault(tmp_path / "principal"), FolderVault(tmp_path / "edge"))


async def check_overwriting(hub: vaults.Vault, spoke: vaults.Vault) -> None:
    """The same for both."""
    await set_up(hub, spoke)
    assert await connect(hub, spoke) == "edge"
    before = [await vault.read(name) for vault in (hub, spoke) for name in (vaults.CA, vaults.CLIENT)]
    with pytest.raises(UserError, match=r"exists: to replace it without losing an agent, .* rotate-ca"):
        await ctl_pki.init(hub, ORDER, ENV, force=False)
    with pytest.raises(UserError, match="exists; to replace the certificate in it: --upsert"):
        await ctl_pki.issue_agent(hub, spoke, "edge", ORDER, ENV, upsert=False)
    with pytest.raises(UserError, match="exists; to replace the certificate in it: --upsert"):
        await ctl_pki.issue_server(hub, "principal", ("localhost",), ORDER, ENV, upsert=False)
    assert "nothing has changed" in await ctl_pki.propagate(hub, spoke, force=False)
    after = [await vault.read(name) for vault in (hub, spoke) for name in (vaults.CA, vaults.CLIENT)]
    assert before == after
    said = await ctl_pki.issue_agent(hub, spoke, "core", ORDER, ENV, upsert=True)
    assert said[0].startswith("replaced ")
    assert await connect(hub, spoke) == "core"
    old = await ctl_pki_show.dump(hub, cert=True, key=False)
    said = await ctl_pki.init(hub, ORDER, ENV, force=True)
    assert "no certificate that was issued before is trusted" in said[1]
    new = await ctl_pki_show.dump(hub, cert=True, key=False)
    assert "it trusts 2 roots now" in await ctl_pki.propagate(hub, spoke, force=False)
    kept = await spoke.read(vaults.CA)
    assert kept is not None
    assert kept.data["ca.crt"] == old + new
    assert "it trusts 1 root now" in await ctl_pki.propagate(hub, spoke, force=True)


async def test_who_comes_second_overwrites_nothing(tmp_path: Path) -> None:
    """Between the look and the write somebody else has written."""
    async with clusters(tmp_path) as (hub, spoke):
        await set_up(hub, spoke)
        kept = await hub.read(vaults.CA)
        assert kept is not None
        await hub.write(vaults.CA, kept.data, over=kept, annotations={"a": "b"})
        for over in (kept, None):
            with pytest.raises(UserError, match="has changed just now: run it again"):
                await hub.write(vaults.CA, {}, over=over)


async def test_what_argocd_agent_has_made_goes_on(tmp_path: Path) -> None:
    """Its CA certifies ours, its leaves are taken and are findings."""
    hub, spoke = FolderVault(tmp_path / "principal"), FolderVault(tmp_path / "edge")
    key = keys.new_key("rsa", 3072)
    root = keys.certificate_pem(peers_authority(key))
    await hub.write(vaults.CA, {"tls.crt": root, "tls.key": keys.key_pem(key)}, over=None)
    await ctl_pki.issue_server(hub, "principal", ("localhost",), ORDER, ENV, upsert=False)
    await ctl_pki.issue_agent(hub, spoke, "edge", ORDER, ENV, upsert=False)
    await ctl_pki.propagate(hub, spoke, force=False)
    assert await connect(hub, spoke) == "edge"
    own = keys.new_key()
    theirs = tmp_path / "theirs.crt"
    theirs.write_bytes(keys.certificate_pem(peers_leaf(own, "edge", CLIENT)) + root)
    leaf, ca = ctl_pki_show.inspect_files([str(theirs)], ENV.now(), full=False)[str(theirs)]
    assert "its key usage allows it to sign certificates" in " ".join(leaf["warnings"])
    assert "its serial number 1 is counted" in " ".join(ca["warnings"])


# The command line, on files


def names(folder: Path) -> list[str]:
    """Every file, by its path."""
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file())


async def check_tls(folder: Path, name: str) -> None:
    """They work."""
    hub, spoke = FolderVault(folder / "principal"), FolderVault(folder / "agents" / name)
    assert await connect(hub, spoke) == name


def test_on_files(run: Run, tmp_path: Path) -> None:
    """With nothing but files, as Secrets are mounted; keys are for their owner alone."""
    place = ("--dir", str(tmp_path / "pki"))
    said = run("ctl", "pki", "init", *place)
    assert said.out.startswith(f"made {tmp_path}/pki/principal/argocd-agent-ca, valid until ")
    assert run("ctl", "pki", "issue", "principal", *place, "--dns", "localhost,hub.example").code == 0
    assert run("ctl", "pki", "issue", "resource-proxy", *place, "--ip=10.0.0.1", "--ip=10.0.0.2").code == 0
    assert run("ctl", "pki", "issue", "agent", "edge", *place, "--days", "7").code == 0
    assert run("ctl", "pki", "propagate", "edge", *place).out.endswith("it trusts 1 root now\n")
    assert names(tmp_path / "pki") == [
        "agents/edge/argocd-agent-ca/ca.crt",
        "agents/edge/argocd-agent-client-tls/tls.crt",
        "agents/edge/argocd-agent-client-tls/tls.key",
        "principal/argocd-agent-ca/tls.crt",
        "principal/argocd-agent-ca/tls.key",
        "principal/argocd-agent-principal-tls/tls.crt",
        "principal/argocd-agent-principal-tls/tls.key",
        "principal/argocd-agent-resource-proxy-tls/tls.crt",
        "principal/argocd-agent-resource-proxy-tls/tls.key",
    ]
    for each in (tmp_path / "pki").rglob("tls.key"):
        assert stat.S_IMODE(each.stat().st_mode) == 0o600
    trio.run(check_tls, tmp_path / "pki", "edge")
    found = json.loads(run("ctl", "pki", "inspect", *place).out)
    assert found["principal"]["dns"] == ["localhost", "hub.example"]
    assert found["resourceProxy"]["ips"] == ["10.0.0.1", "10.0.0.2"]
    assert (found["ca"]["keyType"], found["ca"]["keyLength"]) == ("ECDSA", 256)
    leaf = tmp_path / "pki/agents/edge/argocd-agent-client-tls/tls.crt"
    assert "CN=edge" in run("ctl", "pki", "inspect", str(leaf), "-o", "text").out
    assert "BEGIN PRIVATE KEY" not in run("ctl", "pki", "dump", "--cert", *place).out
    assert run("ctl", "pki", "dump", "--all", *place).out.count("BEGIN") == 2
    assert "deleted" in run("ctl", "pki", "delete", "-f", *place).out
    assert "there is no" in run("ctl", "pki", "delete", "-f", *place).line


def test_a_spoke_on_files_alone(run: Run, tmp_path: Path) -> None:
    """For a site that nobody reaches: its Secrets in a folder of their own."""
    place = ("--dir", str(tmp_path / "pki"), "--agent-dir", str(tmp_path / "stick"))
    assert run("ctl", "pki", "init", *place[:2]).code == 0
    assert run("ctl", "pki", "issue", "agent", "edge", *place).code == 0
    assert run("ctl", "pki", "propagate", "edge", *place).code == 0
    assert names(tmp_path / "stick") == [
        "argocd-agent-ca/ca.crt",
        "argocd-agent-client-tls/tls.crt",
        "argocd-agent-client-tls/tls.key",
    ]
    assert "agentCA" in json.loads(run("ctl", "pki", "inspect", *place).out)


def test_no_names(run: Run, tmp_path: Path) -> None:
    """A certificate without names is made when it is asked for, and is a finding."""
    place = ("--dir", str(tmp_path))
    run("ctl", "pki", "init", *place)
    said = run("ctl", "pki", "issue", "resource-proxy", "--no-san", *place).out
    assert "note: it names no host" in said


@pytest.mark.parametrize("algorithm", ["ecdsa-p384", "ecdsa-p521"])
def test_key_algorithms(run: Run, tmp_path: Path, algorithm: str) -> None:
    """Of the CA and of the leaves."""
    options = ("--dir", str(tmp_path), "--key-algorithm", algorithm)
    for command in (("init",), ("issue", "principal"), ("issue", "agent", "edge")):
        assert run("ctl", "pki", *command, *options).code == 0
    run("ctl", "pki", "propagate", "edge", "--dir", str(tmp_path))
    trio.run(check_tls, tmp_path, "edge")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("init", "--key-algorithm", "ed25519"), "ed25519 is not taken here"),
        (("init", "--key-algorithm", "rsa", "--key-size", "2048"), "RSA keys of 2048 bits are not made"),
        (("init", "--days", "0"), "0 is not in the range"),
        (("issue", "principal"), "to make a CA: trio-argoagent ctl pki init"),
        (("issue", "principal", "--dns", "not a name"), "'not a name' is neither a DNS name"),
        (("issue", "resource-proxy"), "give --ip or --dns, or else --no-san"),
        (("issue", "resource-proxy", "--no-san", "--ip", "10.0.0.1"), "or else --no-san"),
        (("issue", "agent", "Edge"), "'Edge' cannot be an agent's name"),
        (("issue", "agent", "../edge"), "cannot be an agent's name"),
        (("propagate",), "which agent? Give its NAME"),
        (("propagate", "edge"), "to make a CA"),
        (("dump",), "give --cert, --key or --all, or else --bundle"),
        (("dump", "--key", "--bundle"), "or else --bundle"),
        (("inspect",), "to make a CA"),
        (("delete", "-f"), "there is no"),
    ],
)
def test_refused_before_anything_is_written(
    run: Run, tmp_path: Path, arguments: Sequence[str], said: str
) -> None:
    """One line, and no file."""
    assert said in run("ctl", "pki", *arguments, "--dir", str(tmp_path / "pki")).line
    assert not (tmp_path / "pki").exists()


@pytest.mark.parametrize("arguments", [("issue", "agent", "edge"), ("propagate",)])
def test_a_spoke_is_never_guessed(run: Run, arguments: Sequence[str]) -> None:
    """What is meant for a spoke does not go to the hub."""
    assert run("ctl", "pki", *arguments).line.startswith("which spoke? Give --agent-context")


def test_what_lies_there_cannot_be_used(run: Run, tmp_path: Path) -> None:
    """Said with its place."""
    place = ("--dir", str(tmp_path))
    folder = tmp_path / "principal" / "argocd-agent-ca"
    folder.mkdir(parents=True)
    (folder / "tls.crt").write_bytes(authority().certificate_pem)
    assert (
        "has no tls.key: issue where the key of the CA is"
        in run("ctl", "pki", "issue", "principal", *place).line
    )
    (folder / "tls.key").write_bytes(authority().key_pem)
    assert "do not belong together" in run("ctl", "pki", "issue", "principal", *place).line
    (tmp_path / "text").write_text("text")
    assert "text: the certificate is no PEM" in run("ctl", "pki", "inspect", str(tmp_path / "text")).line
    theirs = tmp_path / "agents" / "edge" / "argocd-agent-ca"
    theirs.mkdir(parents=True)
    (theirs / "ca.crt").write_text("text")
    assert "to replace it: --force" in run("ctl", "pki", "propagate", "edge", *place).line
    assert run("ctl", "pki", "propagate", "edge", "--force", *place).code == 0


async def test_a_bundle_of_the_hub_is_propagated_whole(tmp_path: Path) -> None:
    """During a rotation the hub's Secret has more roots than its own."""
    old, new = authority(), authority()
    hub, spoke = FolderVault(tmp_path / "principal"), FolderVault(tmp_path / "edge")
    both = Bundle.of([old.certificate, new.certificate])
    data = {"tls.crt": new.certificate_pem, "tls.key": new.key_pem, "ca.crt": both.pem}
    await hub.write(vaults.CA, data, over=None)
    await ctl_pki.propagate(hub, spoke, force=False)
    kept = await spoke.read(vaults.CA)
    assert kept is not None
    assert Bundle.read(kept.data["ca.crt"]) == both
    found = await ctl_pki_show.inspect_hub(hub, ENV.now(), full=False)
    assert len(found["alsoTrusted"]) == 1


async def test_no_key_is_shown(tmp_path: Path) -> None:
    """Not by what holds it, either."""
    hub = FolderVault(tmp_path / "principal")
    await ctl_pki.init(hub, ORDER, ENV, force=False)
    kept = await hub.read(vaults.CA)
    assert "PRIVATE" not in repr(kept)
    assert base64.b64encode(b"PRIVATE").decode() not in repr(kept)
