"""``ctl agent create|inspect|print-tls|reconfigure``: the cluster secret, as argocd-agent has it."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from trio.testing import MockClock

from trio_argoagent.apiserver.local import Call, LocalCluster
from trio_argoagent.cli import ctl_agent, ctl_agent_show, ctl_register
from trio_argoagent.cli.clusterconfig import read_config
from trio_argoagent.cli.key_options import Order
from trio_argoagent.cli.secretdata import data_of, opaque
from trio_argoagent.errors import UserError
from trio_argoagent.model.resources import NAMESPACES, SECRETS
from trio_argoagent.pki import keys, names
from trio_argoagent.pki.authority import Authority
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.ports.env import Env
from trio_argoagent.runtime.config import PROXY
from trio_argoagent.runtime.world import real_env

from .conftest import Run
from .hubs import HUB, NOW, make_cluster

DAY = 86_400


def env() -> Env:
    """Entropy as it is, and the hub's time."""
    real = real_env()
    return Env(now=lambda: NOW, random=real.random, entropy=real.entropy)


def authority() -> Authority:
    """A CA of a year."""
    return Authority.create(keys.new_key(), name="ca", serial=7, now=NOW, lifetime=365 * DAY)


async def make_hub(ca: Authority | None) -> LocalCluster:
    """A hub, with this CA."""
    hub = await make_cluster()
    if ca is not None:
        data = {"tls.crt": ca.certificate_pem, "tls.key": ca.key_pem}
        await hub.create(SECRETS, opaque(HUB, ctl_register.CA, data, "kubernetes.io/tls"))
    return hub


async def create(hub: LocalCluster, name: str = "edge", **more: Any) -> list[str]:
    """Register an agent, as without options."""
    given = {"resource_proxy_server": PROXY, "labels": {}, "given": None, "order": Order()} | more
    return list(await ctl_register.create(hub, HUB, name, env(), **given))


async def reconfigure(hub: LocalCluster, **more: Any) -> str:
    """Change it."""
    nothing = dict.fromkeys(
        ("resource_proxy_server", "resource_proxy_username", "resource_proxy_password"), ""
    )
    given = nothing | {"reissue_client_cert": False, "order": Order()} | more
    return await ctl_register.reconfigure(hub, HUB, "edge", env(), **given)


async def test_the_secret() -> None:
    """Name, labels, annotations and data are what argocd-agent and Argo CD look for."""
    ca = authority()
    hub = await make_hub(ca)
    said = await create(hub, labels={"env": "prod"})
    assert said == [
        "agent edge: Secret argocd/cluster-edge is made",
        "a certificate for the agent itself: trio-argoagent ctl agent token edge, or ctl pki issue agent",
        "its Applications need a namespace of the hub: kubectl create namespace edge",
    ]
    secret = await hub.get(SECRETS, HUB, "cluster-edge")
    assert secret.labels == {
        "argocd.argoproj.io/secret-type": "cluster",
        "argocd-agent.argoproj-labs.io/agent-name": "edge",
        "env": "prod",
    }
    assert secret.annotations == {"managed-by": "argocd-agent", "argocd.argoproj.io/skip-reconcile": "true"}
    data = data_of(secret)
    assert data["name"] == b"edge"
    assert data["server"] == b"https://argocd-agent-resource-proxy:9090?agentName=edge"
    assert sorted(data) == ["config", "name", "server"]
    config = json.loads(data["config"])
    assert list(config) == ["tlsClientConfig"]
    tls = config["tlsClientConfig"]
    assert sorted(tls) == ["caData", "certData", "insecure", "keyData"]
    assert tls["insecure"] is False
    assert base64.b64decode(tls["caData"]) == ca.certificate_pem
    leaf = x509.load_pem_x509_certificate(base64.b64decode(tls["certData"]))
    leaf.verify_directly_issued_by(ca.certificate)
    assert names.agent_name(leaf) == "edge"
    assert leaf.not_valid_after_utc.timestamp() == NOW + 180 * DAY
    assert leaf.public_key() == keys.load_key(base64.b64decode(tls["keyData"])).public_key()
    assert isinstance(leaf.public_key(), ec.EllipticCurvePublicKey)
    assert list(await ctl_agent.read_secrets(hub, HUB, ["env=prod"])) == ["edge"]
    assert list(await ctl_agent.read_secrets(hub, HUB, ["env=test"])) == []


async def test_what_is_ordered() -> None:
    """Kind of key and days; never longer than the CA."""
    hub = await make_hub(authority())
    await hub.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "edge"}})
    order = Order(days=1000, key_algorithm="rsa", key_size=3072)
    assert len(await create(hub, order=order)) == 2
    leaf = keys.load_certificates(
        ctl_agent_show.print_tls(await hub.get(SECRETS, HUB, "cluster-edge"), "cert")
    )[0]
    assert leaf.not_valid_after_utc.timestamp() == NOW + 365 * DAY
    key = leaf.public_key()
    assert isinstance(key, rsa.RSAPublicKey) and key.key_size == 3072


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ({"name": "Edge"}, "cannot be an agent's name"),
        ({"name": HUB}, "where Argo CD is"),
        ({"resource_proxy_server": "https://x"}, "--resource-proxy-server: "),
        ({"resource_proxy_server": "proxy"}, "--resource-proxy-server: 'proxy' has no port"),
        ({"order": Order(key_algorithm="ed25519")}, "ed25519"),
        ({"order": Order(key_algorithm="rsa", key_size=1024)}, "1024"),
        ({"given": ("tls", "ca")}, "--tls-from-secret: Secret argocd/tls is not there"),
        ({"given": ("a/b/c", "ca")}, "is not .NAMESPACE/.NAME"),
    ],
    ids=["name", "the hub's", "URL", "no port", "kind", "bits", "no Secret", "no reference"],
)
async def test_what_is_refused(more: dict[str, Any], what: str) -> None:
    """Before anything has changed."""
    hub = await make_hub(authority())
    before = hub.server.rv
    with pytest.raises(UserError, match=what):
        await create(hub, **more)
    assert hub.server.rv == before


async def test_one_that_exists() -> None:
    """As an agent, whatever its secret is called, or as something else of that name."""
    hub = await make_hub(authority())
    await create(hub)
    with pytest.raises(UserError, match="agent edge exists"):
        await create(hub)
    await hub.create(SECRETS, opaque(HUB, "cluster-west", {}))
    with pytest.raises(UserError, match="that is no agent's"):
        await create(hub, "west")


@pytest.mark.parametrize("missing", ["all", "tls.key"])
async def test_without_a_ca(missing: str) -> None:
    """The line says what to do."""
    hub = await make_hub(None)
    if missing != "all":
        data = {"tls.crt": authority().certificate_pem}
        await hub.create(SECRETS, opaque(HUB, ctl_register.CA, data))
    with pytest.raises(UserError, match="give --tls-from-secret"):
        await create(hub)


async def test_a_certificate_of_somebody_else() -> None:
    """From Secrets, in another namespace if need be; certificate and key must belong together."""
    other, stranger = authority(), keys.new_key()
    key = keys.new_key()
    pem = other.issue_client(key.public_key(), agent="edge", serial=9, now=NOW, lifetime=DAY)
    hub = await make_cluster(HUB, "vault")
    await hub.create(SECRETS, opaque("vault", "tls", {"tls.crt": pem, "tls.key": keys.key_pem(key)}))
    await hub.create(SECRETS, opaque(HUB, "ca", {"ca.crt": other.certificate_pem}))
    await hub.create(SECRETS, opaque(HUB, "odd", {"tls.crt": pem, "tls.key": keys.key_pem(stranger)}))
    with pytest.raises(UserError, match="do not belong together"):
        await create(hub, given=("odd", "ca"))
    await create(hub, given=("vault/tls", "ca"))
    secret = await hub.get(SECRETS, HUB, "cluster-edge")
    assert read_config(secret).tls == {
        "tls.crt": pem,
        "tls.key": keys.key_pem(key),
        "ca.crt": other.certificate_pem,
    }
    assert ctl_agent_show.print_tls(secret, "ca") == other.certificate_pem


async def test_reconfiguring() -> None:
    """Only what is named changes; what others have put into the config stays."""
    hub = await make_hub(authority())
    await create(hub)
    secret = await hub.get(SECRETS, HUB, "cluster-edge")
    with pytest.raises(UserError, match="nothing to change"):
        await reconfigure(hub)
    config = read_config(secret)
    odd = opaque(HUB, "cluster-edge", {"config": json.dumps({"bearerToken": "t", **config.value}).encode()})
    await hub.replace(SECRETS, secret.value() | {"data": secret.get("data") | odd["data"]})
    assert await reconfigure(hub, resource_proxy_server="proxy:1") == "agent edge: changed server"
    changed = await hub.get(SECRETS, HUB, "cluster-edge")
    assert data_of(changed)["server"] == b"https://proxy:1?agentName=edge"
    assert read_config(changed).tls == config.tls
    said = await reconfigure(
        hub, reissue_client_cert=True, resource_proxy_username="u", resource_proxy_password="p"
    )
    assert said == "agent edge: changed certificate, login"
    again = read_config(await hub.get(SECRETS, HUB, "cluster-edge"))
    assert again.tls["tls.crt"] != config.tls["tls.crt"]
    assert (again.value["username"], again.value["password"], again.value["bearerToken"]) == ("u", "p", "t")
    assert "keyData" not in repr(again)


async def test_a_change_in_between() -> None:
    """What somebody else has written meanwhile is not overwritten."""
    hub = await make_hub(authority())
    await create(hub)

    class Meddling:
        async def before(self, call: Call) -> None:
            if call.verb == "patch":
                patch = MergePatch({"data": {"server": base64.b64encode(b"theirs").decode()}})
                await hub.patch(SECRETS, HUB, "cluster-edge", patch)

        async def after(self, call: Call) -> None:
            """Nothing."""

    mine = LocalCluster(hub.server, env=env(), actor="me", gate=Meddling())
    with pytest.raises(UserError, match="run it again"):
        await reconfigure(mine, resource_proxy_server="proxy:1")
    assert data_of(await hub.get(SECRETS, HUB, "cluster-edge"))["server"] == b"theirs"


async def test_inspecting(autojump_clock: MockClock) -> None:
    """argocd-agentctl's fields, and ours; for people, what there is of them."""
    hub = await make_hub(authority())
    await create(hub, labels={"env": "prod"})
    found = await ctl_agent_show.view(hub, HUB, "edge", "word", NOW)
    document = ctl_agent_show.as_document(found)
    assert document["server"] == "https://argocd-agent-resource-proxy:9090?agentName=edge"
    assert document["name"] == "edge"
    assert document["notValidAfter"] == "2027-07-14T08:00:00Z"
    assert len(document["fingerprint"]) == 64
    assert document["state"] == "unknown: no principal answers"
    assert document["labels"]["env"] == "prod"
    assert document["problems"] == []
    text = ctl_agent_show.as_text(found)
    assert "Not valid after:      2027-07-14T08:00:00Z" in text
    assert "env=prod" in text
    assert "Held" not in text
    note = {"trio-argoagent/certificate": "AB12 2027-01-01T00:00:00Z 34cd"}
    await hub.patch(SECRETS, HUB, "cluster-edge", MergePatch({"metadata": {"annotations": note}}))
    found = await ctl_agent_show.view(hub, HUB, "edge", "word", NOW)
    assert ctl_agent_show.as_document(found)["issued"] == "AB12 2027-01-01T00:00:00Z"
    with pytest.raises(UserError, match="knows no agent 'west'"):
        await ctl_agent_show.view(hub, HUB, "west", "word", NOW)


@pytest.mark.parametrize(
    "text", ["env", "=x", "a b=c", "env=-", "argocd-agent.argoproj-labs.io/agent-name=x"], ids=str
)
def test_a_label_that_is_none(text: str) -> None:
    """Refused by name."""
    with pytest.raises(UserError, match="--label: "):
        ctl_register.parse_labels([text])


def test_labels() -> None:
    """Several options, and several in one, as argocd-agentctl takes them."""
    assert ctl_register.parse_labels(["a=b,c=d", "e.f/g="]) == {"a": "b", "c": "d", "e.f/g": ""}


def test_both_secrets_or_neither(run: Run) -> None:
    """One alone is refused before anything is asked of the hub."""
    line = run("ctl", "agent", "create", "edge", "--tls-from-secret", "x").line
    assert "give both or neither" in line
