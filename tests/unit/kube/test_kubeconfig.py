"""Kubeconfigs: held against the reader of the kubernetes package, and where kubectl does otherwise."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import attrs
import pytest
import yaml
from kubernetes.client import Configuration
from kubernetes.config import kube_config

from trio_argoagent.errors import UserError
from trio_argoagent.kube.credentials import Credentials, from_kubeconfig
from trio_argoagent.kube.kubeconfig import Kubeconfig

from .test_credentials import PLUGIN, inline, no_proxy, plugin, write

__all__ = ["no_proxy"]  # a fixture that is used by all tests here

NOW = 1_700_000_000.0


def read(path: str) -> Any:
    """The kubeconfig that ``write`` has written."""
    return json.loads(Path(path).read_text())


def to_yaml(path: str) -> None:
    """The same in YAML."""
    value = read(path)
    Path(path).write_text(yaml.safe_dump(value))


def now() -> float:
    """The wall clock stands still."""
    return NOW


def theirs(path: str) -> Credentials:
    """What the kubernetes package makes of a kubeconfig."""
    with tempfile.TemporaryDirectory() as scratch:
        merged = kube_config.KubeConfigMerger(path).config  # type: ignore[no-untyped-call]
        loader = kube_config.KubeConfigLoader(  # type: ignore[no-untyped-call]
            merged, config_base_path=None, temp_file_path=scratch
        )
        found = type.__call__(Configuration)
        loader.load_and_set(found)  # type: ignore[no-untyped-call]
        address = urlsplit(found.host)

        def content(file: str | None) -> bytes | None:
            return Path(file).read_bytes() if file else None

        return Credentials(
            address.hostname or "",
            address.port or (443 if address.scheme == "https" else 80),
            ca=content(found.ssl_ca_cert),
            certificate=content(found.cert_file),
            key=content(found.key_file),
            token=found.api_key.get("BearerToken", "").removeprefix("Bearer "),
            namespace=loader.current_context["context"].get("namespace", ""),
            tls=address.scheme == "https",
            verify=bool(found.verify_ssl),
            server_name=found.tls_server_name or "",
            prefix=address.path.rstrip("/"),
        )


USERS: dict[str, dict[str, Any]] = {
    "nobody": {},
    "token": {"token": "t1"},
    "token file": {"tokenFile": "token"},
    "certificates": {"client-certificate-data": inline(b"CERT"), "client-key-data": inline(b"KEY")},
    "certificate files": {"client-certificate": "cert.pem", "client-key": "key.pem"},
    "both": {
        "client-certificate": "gone.pem",
        "client-certificate-data": inline(b"CERT"),
        "client-key": "gone.pem",
        "client-key-data": inline(b"KEY"),
    },
    "token and certificate": {"token": "t1", "client-certificate": "cert.pem", "client-key": "key.pem"},
}
CLUSTERS: dict[str, dict[str, Any]] = {
    "authority": {"certificate-authority-data": inline(b"CA")},
    "authority file": {"certificate-authority": "ca.pem"},
    "absolute": {"server": "https://10.0.0.1"},
    "slash": {"server": "https://api.example:6443/"},
    "gateway": {"server": "https://gate.example/k8s/clusters/c1"},
    "address": {"server": "https://[fd00::1]:6443"},
    "insecure": {"insecure-skip-tls-verify": True},
    "name": {"tls-server-name": "inner.example"},
    "plain": {"server": "http://127.0.0.1:8001"},
}


@pytest.mark.parametrize("as_yaml", [False, True])
@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("cluster", CLUSTERS)
async def test_as_the_kubernetes_package_does(
    tmp_path: Path, user: str, cluster: str, as_yaml: bool
) -> None:
    """Each kind of user with each kind of cluster, as JSON and as YAML: every field is the same."""
    for name in ("ca.pem", "cert.pem", "key.pem", "token"):
        (tmp_path / name).write_text(name)
    path = write(tmp_path / "config", USERS[user], **CLUSTERS[cluster])
    if as_yaml:
        to_yaml(path)
    found = await from_kubeconfig(path)
    assert attrs.evolve(found, rotates=False) == theirs(path)


async def test_merging(tmp_path: Path) -> None:
    """Of one name the first counts, also for the current context; paths are relative to their own file."""
    for folder, token in (("one", "t1"), ("two", "t2")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "token").write_text(token)
    one = read(write(tmp_path / "one" / "config", {"tokenFile": "token"}))
    two = {
        "current-context": "other",
        "contexts": [{"name": "other", "context": {"cluster": "c", "user": "v"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://shadowed.example"}}],
        "users": [{"name": "v", "user": {"tokenFile": "token"}}],
    }
    files = []
    for folder, value in (("one", one), ("two", two)):
        files.append(tmp_path / folder / "config")
        files[-1].write_text(json.dumps(value))
    path = os.pathsep.join(map(str, files))
    found = await from_kubeconfig(path)
    assert (found.host, found.token) == ("api.example", "t1")
    found = await from_kubeconfig(path, "other")
    assert (found.host, found.token) == ("api.example", "t2")
    assert Kubeconfig.read(path).current == "main"


async def test_a_token_file_is_preferred(tmp_path: Path) -> None:
    """As kubectl does: the token beside it is what was in it once."""
    (tmp_path / "token").write_text("fresh\n")
    path = write(tmp_path / "config", {"token": "stale", "tokenFile": "token"})
    assert (await from_kubeconfig(path)).token == "fresh"


@pytest.mark.parametrize("token", ["one\ntwo", "one two", "t\u00e9l\u00e9", "\x01"])
async def test_a_token_that_is_none(tmp_path: Path, token: str) -> None:
    """It could not stand in a header; the line says where it is, and not what it is."""
    (tmp_path / "token").write_text(token)
    users = ({"token": token}, "the token of the current context"), ({"tokenFile": "token"}, "token")
    for user, where in users:
        with pytest.raises(UserError) as caught:
            await from_kubeconfig(write(tmp_path / "config", user))
        assert str(caught.value).endswith(f"{where} is no bearer token: it must be one line, without spaces")
        assert token not in str(caught.value)


async def test_whom_to_be_is_one_line(tmp_path: Path) -> None:
    """Nor may what stands in other headers begin a line of its own."""
    with pytest.raises(UserError, match="not one line of text"):
        await from_kubeconfig(write(tmp_path / "config", {"token": "t", "as": "a\nimpersonate-group: b"}))


async def test_a_token_is_preferred_to_a_plugin(tmp_path: Path) -> None:
    """Which then is not run."""
    user = plugin(tmp_path, "raise SystemExit(1)") | {"token": "t"}
    assert (await from_kubeconfig(write(tmp_path / "config", user))).token == "t"


async def test_the_kubeconfig_s_proxy(tmp_path: Path) -> None:
    """It counts more than the environment's, which counts only for TLS."""
    environ = {"HTTPS_PROXY": "http://env.example:1"}
    path = write(tmp_path / "config", {}, **{"proxy-url": "http://own.example:2"})
    assert (await from_kubeconfig(path, environ=environ)).proxy == "http://own.example:2"
    path = write(tmp_path / "config")
    assert (await from_kubeconfig(path, environ=environ)).proxy == "http://env.example:1"
    assert (await from_kubeconfig(path, environ=environ | {"NO_PROXY": "example"})).proxy == ""
    path = write(tmp_path / "config", server="http://10.0.0.1")
    assert (await from_kubeconfig(path, environ=environ)).proxy == ""


@pytest.mark.parametrize(
    "value",
    [
        {"users": "x"},
        {"users": ["x"]},
        {"users": [{"name": "u", "user": "x"}]},
        {"contexts": {"main": {}}},
        {"clusters": [{"name": "c", "cluster": 5}]},
    ],
)
async def test_wrong_shapes(tmp_path: Path, value: dict[str, Any]) -> None:
    """Lists that are none, entries that are none: a user's mistake never is a traceback."""
    path = tmp_path / "config"
    path.write_text(json.dumps(value))
    with pytest.raises(UserError, match="not a kubeconfig"):
        await from_kubeconfig(str(path))


@pytest.mark.parametrize(
    ("context", "says"),
    [
        ({"cluster": "x"}, "no cluster 'x'"),
        ({"cluster": "c", "user": "x"}, "no user 'x'"),
        ({}, "names no cluster"),
    ],
)
async def test_names_that_lead_nowhere(tmp_path: Path, context: dict[str, str], says: str) -> None:
    """The message says which."""
    value = read(write(tmp_path / "config"))
    value["contexts"][0]["context"] = context
    (tmp_path / "config").write_text(json.dumps(value))
    with pytest.raises(UserError, match=f"{says}.*contexts: main"):
        await from_kubeconfig(str(tmp_path / "config"))


async def test_when_a_plugin_s_token_expires(tmp_path: Path) -> None:
    """Its own word counts, told as seconds from now."""
    status = {"token": "t", "expirationTimestamp": "2023-11-14T23:13:20Z"}
    path = write(tmp_path / "config", plugin(tmp_path, PLUGIN.format(status=status)))
    assert (await from_kubeconfig(path, now=now)).lifetime == 3600.0
    assert (await from_kubeconfig(path)).lifetime is None


async def test_when_a_plugin_s_certificate_expires(tmp_path: Path) -> None:
    """Likewise; the certificate is that of the plugin, and stays in no file."""
    status = {
        "clientCertificateData": "CERT",
        "clientKeyData": "KEY",
        "expirationTimestamp": "2023-11-14T22:23:20Z",
    }
    found = await from_kubeconfig(
        write(tmp_path / "config", plugin(tmp_path, PLUGIN.format(status=status))), now=now
    )
    assert (found.certificate, found.key, found.lifetime) == (b"CERT", b"KEY", 600.0)


def jwt(claims: bytes) -> str:
    """A token that says when it expires."""
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (b"{}", claims, b"s"))


@pytest.mark.parametrize(
    ("token", "lifetime"),
    [
        (jwt(b'{"exp": 1700000060}'), 60.0),
        (jwt(b'{"exp": 1600000000}'), -100_000_000.0),
        (jwt(b'{"exp": "soon"}'), None),
        (jwt(b"{}"), None),
        ("a.%%%.b", None),
        (jwt(b'{"exp": 1700000060, "a":' + b"[" * 50_000 + b"]" * 50_000 + b"}"), None),
        ("opaque", None),
    ],
)
async def test_when_a_signed_token_expires(tmp_path: Path, token: str, lifetime: float | None) -> None:
    """A plugin that says nothing may have given a token that does."""
    path = write(tmp_path / "config", plugin(tmp_path, PLUGIN.format(status={"token": token})))
    assert (await from_kubeconfig(path, now=now)).lifetime == lifetime


async def test_an_openid_token(tmp_path: Path) -> None:
    """The provider's id-token is the token, and its end is known."""
    token = jwt(b'{"exp": 9999999999}')
    user = {"auth-provider": {"name": "oidc", "config": {"id-token": token, "client-id": "c"}}}
    found = await from_kubeconfig(write(tmp_path / "config", user), now=now)
    assert found.token == token
    assert found.lifetime == 9_999_999_999 - NOW


def test_common_kubeconfigs_load_nothing_heavy(tmp_path: Path) -> None:
    """JSON needs no YAML; YAML needs no kubernetes package. An agent has 55 MiB for everything."""
    as_json = write(tmp_path / "json", {"token": "t"})
    as_yaml = write(tmp_path / "yaml", {"token": "t"})
    to_yaml(as_yaml)
    heavy = ("kubernetes", "pydantic", "requests", "yaml")
    for path, expected in ((as_json, []), (as_yaml, ["yaml"])):
        code = (
            "import sys, trio\n"
            "from trio_argoagent.kube.credentials import from_kubeconfig\n"
            f"assert trio.run(from_kubeconfig, {path!r}).token == 't'\n"
            f"print([name for name in {heavy} if name in sys.modules])"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == str(expected)
