"""``trio-argoagent ctl support-bundle``: it tells much, and no secret is in it."""

from __future__ import annotations

import base64
import gzip
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from trio.testing import MockClock

from trio_argoagent.cli import bundle, ctl_bundle
from trio_argoagent.cli.secretdata import opaque
from trio_argoagent.cli.validation.checks import Side
from trio_argoagent.errors import UserError
from trio_argoagent.model.resources import APPLICATIONS, CONFIG_MAPS, EVENTS, SECRETS
from trio_argoagent.pki import keys
from trio_argoagent.principal.clusters import make_secret
from trio_argoagent.testing.argocd.applications import application

from ..principal.hub import HUB, Hub, open_hub
from .conftest import Run
from .hubs import make_cluster
from .validation.sights import NOW, authority, client

CANARY = "cAnArY"
TOKEN = f"eyJhbGciOiJIUzI1NiJ9.{CANARY}eyJzdWIiOiJhIn0.{CANARY}c2lnbmF0dXJl"


def canary(what: str) -> str:
    """A secret that nothing else looks like."""
    return f"{CANARY}{what}"


async def furnish(hub: Hub) -> list[bytes]:
    """Put secrets wherever there may be some; returns what must not be found."""
    tls = client("edge")
    secret = make_secret("edge", HUB, tls=tls | {"ca.crt": authority().certificate_pem})
    config = json.loads(secret["stringData"]["config"]) | {
        "bearerToken": TOKEN,
        "username": canary("user"),
        "password": canary("password"),
    }
    secret["stringData"]["config"] = json.dumps(config)
    secret["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] = canary("applied")
    await hub.users.delete(SECRETS, HUB, "cluster-edge")
    await hub.users.create(SECRETS, secret)
    ca = {"tls.crt": authority().certificate_pem, "tls.key": authority().key_pem}
    await hub.users.create(SECRETS, opaque(HUB, "argocd-agent-ca", ca))
    await hub.users.create(SECRETS, opaque(HUB, "argocd-agent-jwt", {"jwt.key": SIGNING}))
    repository = opaque(HUB, "repo", {"url": b"https://x", "password": canary("repo").encode()})
    repository["metadata"]["labels"] = {"argocd.argoproj.io/secret-type": "repository"}
    await hub.users.create(SECRETS, repository)
    data = {
        "principal.redis.password": canary("redis"),
        "principal.log.level": "debug",
        "principal.otlp.address": f"https://{canary('login')}@otlp.example.com",
    }
    value = {"apiVersion": "v1", "kind": "ConfigMap", "data": data}
    await hub.users.create(
        CONFIG_MAPS, value | {"metadata": {"name": "argocd-agent-params", "namespace": HUB}}
    )
    text = f"cannot fetch https://user:{canary('url')}@git.example.com/r: Authorization: Bearer {TOKEN}"
    event: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "e", "namespace": "edge"},
        "involvedObject": {"kind": "Application", "namespace": "edge", "name": "web"},
        "source": {"component": "trio-argoagent"},
        "message": f'{text}; password="{canary("quoted")}"',
    }
    await hub.users.create(EVENTS, event)
    app = application("web", namespace="edge")
    app["spec"]["source"]["repoURL"] = f"https://{canary('app')}@git.example.com"
    await hub.users.create(APPLICATIONS, app)
    private = [tls["tls.key"], authority().key_pem, SIGNING]
    return [CANARY.encode(), *(line for pem in private for line in pem.splitlines() if b"-" not in line)]


SIGNING = keys.key_pem(keys.new_key())


def unpacked(content: bytes) -> dict[str, str]:
    """The files of a bundle."""
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        return {each.name: tar.extractfile(each).read().decode() for each in tar}  # type: ignore[union-attr]


async def test_no_secret_is_in_it(autojump_clock: MockClock) -> None:
    """Not as it is, and not as base64; what helps is there."""
    async with open_hub("edge") as hub:
        forbidden = await furnish(hub)
        files = await ctl_bundle.collect({Side.HUB: hub.users}, {Side.HUB: HUB}, hub.principal.hub.env)
        content = bundle.archive(files, "support", NOW)
        told = unpacked(content)
        whole = gzip.decompress(content)
        for secret in forbidden:
            assert secret not in whole
            assert base64.b64encode(secret)[:-4] not in whole
        assert b"PRIVATE KEY" not in whole
        assert sorted(told) == [
            f"support/{name}"
            for name in (
                "README.txt",
                "agents.json",
                "fleet.json",
                "hub/configmaps.json",
                "hub/counts.json",
                "hub/events.json",
                "hub/secrets.json",
                "validate.txt",
                "version.txt",
            )
        ]
        secrets = {each["name"]: each for each in json.loads(told["support/hub/secrets.json"])}
        assert secrets["cluster-edge"]["server"].endswith("agentName=edge")
        assert secrets["argocd-agent-ca"]["certificates"]["tls.crt"][0]["subject"] == "CN=ours"
        assert secrets["repo"]["sizes"] == {"password": len(canary("repo")), "url": 9}
        (event,) = json.loads(told["support/hub/events.json"])
        assert event["about"] == "Application/edge/web"
        assert event["message"].startswith("cannot fetch https://(removed)git.example.com/r")
        maps = {each["name"]: each["data"] for each in json.loads(told["support/hub/configmaps.json"])}
        assert maps["argocd-agent-params"]["principal.log.level"] == "debug"
        assert json.loads(told["support/hub/counts.json"])["applications"] == {"edge": 1}
        assert "edge" in json.loads(told["support/fleet.json"])["agents"]


async def test_what_cannot_be_read(autojump_clock: MockClock) -> None:
    """It is told, and the rest is there: without a principal, nobody is waited for again and again."""
    hub = await make_cluster()
    for name in ("edge", "west"):
        await hub.create(SECRETS, make_secret(name, HUB))
    files = await ctl_bundle.collect({Side.HUB: hub}, {Side.HUB: HUB}, hub._env)
    assert files["missing.txt"] == "agents.json: no principal answers"
    assert json.loads(files["fleet.json"])["principal"] is False


@pytest.mark.parametrize(
    "text",
    [
        f"before {TOKEN} after",
        f"https://me:{CANARY}@example.com/path",
        f"Authorization: Bearer {CANARY}1234",
        f'{{"password": "{CANARY}"}}',
        f"?token={CANARY}&x=1",
        f"-----BEGIN RSA PRIVATE KEY-----\n{CANARY}\n-----END RSA PRIVATE KEY-----",
        f"-----BEGIN PRIVATE KEY-----\n{CANARY}",
        f"0123456789abcdef.{CANARY}{'x' * 20}.{'AB' * 32}",
    ],
    ids=["JWT", "login", "bearer", "JSON", "query", "key", "half a key", "enrolment token"],
)
def test_scrubbing(text: str) -> None:
    """Whatever the text round it."""
    assert CANARY not in bundle.scrubbed(f"one {text} two")
    assert CANARY not in bundle.scrubbed(json.dumps({"a": text}))
    assert CANARY not in json.dumps(bundle.clean({"a": [text]}))


def test_it_replaces_nothing(run: Run, tmp_path: Path) -> None:
    """A file that is there stays."""
    there = tmp_path / "bundle.tar.gz"
    there.write_text("mine")
    assert "is there already" in run("ctl", "support-bundle", "-f", str(there)).line
    assert run("ctl", "support-bundle", "-f", "x" * 300).line  # That cannot be known, and is no traceback.
    assert there.read_text() == "mine"


def test_what_is_written_is_the_users_alone(tmp_path: Path) -> None:
    """Names of clusters and people may be in it; and it is never written over another file."""
    path = tmp_path / "b.tar.gz"
    ctl_bundle._write(path, b"x")
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(UserError, match="cannot write"):
        ctl_bundle._write(path, b"y")
