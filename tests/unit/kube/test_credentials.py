"""Where the API server is and who we are: pods, kubeconfigs, and everything that can be wrong with them."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio

from trio_argoagent.errors import UserError
from trio_argoagent.kube.credentials import AT_ONCE, Credentials, from_kubeconfig, in_cluster


def write(path: Path, user: dict[str, Any] | None = None, **cluster: Any) -> str:
    """A kubeconfig with one context, ``main``."""
    cluster = {"server": "https://api.example:6443"} | cluster
    value = {
        "current-context": "main",
        "contexts": [{"name": "main", "context": {"cluster": "c", "user": "u", "namespace": "argocd"}}],
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user or {}}],
    }
    # JSON is YAML.
    path.write_bytes(msgspec.json.encode(value))
    return str(path)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the machine's own environment says."""
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)


def inline(text: bytes) -> str:
    """How a kubeconfig embeds a file."""
    return base64.b64encode(text).decode()


def pod(tmp_path: Path) -> tuple[dict[str, str], str]:
    """What the kubelet gives a pod."""
    for name, text in {"token": "t1\n", "ca.crt": "CA", "namespace": "argocd\n"}.items():
        (tmp_path / name).write_text(text)
    return {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}, str(tmp_path)


async def test_in_a_pod(tmp_path: Path) -> None:
    """Two variables and three files; the token is read again by ``reload``."""
    environ, folder = pod(tmp_path)
    found = in_cluster(environ, folder)
    assert found == Credentials(
        "10.0.0.1", 443, ca=b"CA", token="t1", namespace="argocd", rotates=True
    )
    (tmp_path / "token").write_text("t2")
    assert found.reload is not None
    renewed = await found.reload()
    assert renewed.token == "t2"
    assert not found.needs_new_connection(renewed)


async def test_a_pod_behind_a_proxy(tmp_path: Path) -> None:
    """The environment's proxy is used, unless it is told to leave the API server out."""
    environ, folder = pod(tmp_path)
    environ["HTTPS_PROXY"] = "http://p.example:3128"
    assert in_cluster(environ, folder).proxy == "http://p.example:3128"
    assert in_cluster(environ | {"NO_PROXY": "10.0.0.0/16"}, folder).proxy == ""
    with pytest.raises(UserError, match="proxy"):
        in_cluster(environ | {"HTTPS_PROXY": "socks5://p"}, folder)


def test_outside_a_pod(tmp_path: Path) -> None:
    """The message says what to give instead."""
    with pytest.raises(UserError, match="kubeconfig"):
        in_cluster({}, str(tmp_path))


@pytest.mark.parametrize("missing", ["token", "ca.crt", "namespace"])
def test_a_pod_without_its_files(tmp_path: Path, missing: str) -> None:
    """The message names the file."""
    environ, folder = pod(tmp_path)
    (tmp_path / missing).unlink()
    with pytest.raises(UserError, match=missing):
        in_cluster(environ, folder)


def test_a_pod_with_an_empty_token(tmp_path: Path) -> None:
    """An empty token would make us anonymous."""
    environ, folder = pod(tmp_path)
    (tmp_path / "token").write_text("\n")
    with pytest.raises(UserError, match="empty"):
        in_cluster(environ, folder)


def test_repr_shows_no_secret() -> None:
    """Credentials may be logged by accident."""
    shown = repr(Credentials("h", token="hunter2", key=b"hunter2", certificate=b"hunter2"))
    assert "hunter2" not in shown


async def test_inline_certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CA, certificate and key come out as the bytes they are, and no file of them is left."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    user = {"client-certificate-data": inline(b"CERT"), "client-key-data": inline(b"KEY")}
    path = write(tmp_path / "config", user, **{"certificate-authority-data": inline(b"CA")})
    found = await from_kubeconfig(path)
    assert found == Credentials(
        "api.example", 6443, ca=b"CA", certificate=b"CERT", key=b"KEY", namespace="argocd"
    )
    assert os.listdir(tmp_path / "scratch") == []


async def test_inline_certificates_twice(tmp_path: Path) -> None:
    """The loader remembers paths of files that we have removed: a second reading still works."""
    user = {"client-certificate-data": inline(b"CERT2"), "client-key-data": inline(b"KEY2")}
    path = write(tmp_path / "config", user)
    found = await from_kubeconfig(path)
    assert found.reload is not None
    assert (await found.reload()).key == b"KEY2"


async def test_files_beside_the_kubeconfig(tmp_path: Path) -> None:
    """Relative paths are relative to the kubeconfig; a token file is known to rotate."""
    (tmp_path / "ca.pem").write_bytes(b"CA")
    (tmp_path / "token").write_text("t1")
    path = write(tmp_path / "config", {"tokenFile": "token"}, **{"certificate-authority": "ca.pem"})
    found = await from_kubeconfig(path)
    assert (found.ca, found.token, found.rotates) == (b"CA", "t1", True)
    (tmp_path / "token").write_text("t2")
    assert found.reload is not None
    assert (await found.reload()).token == "t2"


async def test_the_rest_of_a_cluster(tmp_path: Path) -> None:
    """A gateway's path, a server name, no verification, and who to act as."""
    path = write(
        tmp_path / "config",
        {"token": "t", "as": "bob", "as-groups": ["a", "b"], "as-user-extra": {"Scope": ["x"]}},
        server="https://gate.example/k8s/clusters/c1/",
        **{"tls-server-name": "inner", "insecure-skip-tls-verify": True},
    )
    found = await from_kubeconfig(path)
    assert (found.host, found.port, found.prefix) == ("gate.example", 443, "/k8s/clusters/c1")
    assert (found.server_name, found.verify, found.rotates) == ("inner", False, False)
    assert found.headers == (
        ("authorization", "Bearer t"),
        ("impersonate-user", "bob"),
        ("impersonate-group", "a"),
        ("impersonate-group", "b"),
        ("impersonate-extra-scope", "x"),
    )


async def test_several_kubeconfigs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """KUBECONFIG is a list; files that do not exist are passed over, as kubectl does."""
    path = write(tmp_path / "config", {"token": "t"})
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'missing'}{os.pathsep}{path}")
    assert (await from_kubeconfig()).token == "t"


async def test_a_plain_server(tmp_path: Path) -> None:
    """http: no TLS, and the port that goes with it."""
    found = await from_kubeconfig(write(tmp_path / "config", server="http://127.0.0.1"))
    assert (found.tls, found.port) == (False, 80)


PLUGIN = """\
import json
status = {status!r}
print(json.dumps(dict(apiVersion="client.authentication.k8s.io/v1", kind="ExecCredential", status=status)))
"""


def plugin(tmp_path: Path, code: str) -> dict[str, Any]:
    """A user whose credentials a program gives."""
    (tmp_path / "plugin.py").write_text(code)
    return {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": sys.executable,
            "args": [str(tmp_path / "plugin.py")],
        }
    }


async def test_a_plugin(tmp_path: Path) -> None:
    """What it prints is who we are."""
    user = plugin(tmp_path, PLUGIN.format(status={"token": "from-plugin"}))
    assert (await from_kubeconfig(write(tmp_path / "config", user))).token == "from-plugin"


async def test_a_source_that_hangs(tmp_path: Path) -> None:
    """Whoever gives up leaves its thread behind, none of others; there are enough for the next one."""
    config = tmp_path / "config"
    reload = (await from_kubeconfig(write(config, {"token": "t"}))).reload
    assert reload is not None
    good = config.read_bytes()
    hanging = [await give_up(reload, config) for _ in range(AT_ONCE - 1)]
    os.unlink(config)
    config.write_bytes(good)
    assert (await reload()).token == "t"
    hanging.append(await give_up(reload, config))
    with pytest.raises(UserError, match=f"{AT_ONCE} readings of the kubeconfig have not ended"):
        await reload()
    assert trio.to_thread.current_default_thread_limiter().borrowed_tokens == 0
    for pipe in hanging:
        os.close(pipe)  # It has hung long enough.


async def give_up(reload: Callable[[], Awaitable[Credentials]], config: Path) -> int:
    """Read a file that hangs until what is returned is closed, and stop waiting for it."""
    os.unlink(config)
    os.mkfifo(config)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(reload)
        # It is opened for writing once there is somebody who reads.
        pipe = await trio.to_thread.run_sync(os.open, config, os.O_WRONLY)
        nursery.cancel_scope.cancel()
    return pipe


@pytest.mark.parametrize("code", ["raise SystemExit(3)", "print('hello')", PLUGIN.format(status={})])
async def test_a_plugin_that_fails(tmp_path: Path, code: str) -> None:
    """Never anonymous: it is an error that names the plugin."""
    path = write(tmp_path / "config", plugin(tmp_path, code))
    with pytest.raises(UserError, match="gave no credentials"):
        await from_kubeconfig(path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "not YAML"),
        ("", "not a kubeconfig"),
        ("just a word", "not a kubeconfig"),
        ("[1, 2]", "not a kubeconfig"),
        ("{}", "the current context"),
        ("current-context: gone\ncontexts: []\nclusters: []", "contexts: none"),
        ("\x00", "not YAML"),
        ("[" * 5000 + "]" * 5000, "is not"),
    ],
)
async def test_a_file_that_is_no_kubeconfig(tmp_path: Path, text: str, says: str) -> None:
    """One line that names the file and what is wrong with it."""
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(UserError, match=says) as caught:
        await from_kubeconfig(str(path))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_a_kubeconfig_that_is_not_there(tmp_path: Path) -> None:
    """The message says how to name another."""
    with pytest.raises(UserError, match="set KUBECONFIG"):
        await from_kubeconfig(str(tmp_path / "none"))


async def test_a_folder_is_no_kubeconfig(tmp_path: Path) -> None:
    """What cannot be read is said to be unreadable."""
    with pytest.raises(UserError, match="cannot read"):
        await from_kubeconfig(str(tmp_path))


async def test_a_context_that_does_not_exist(tmp_path: Path) -> None:
    """The message lists those that do."""
    with pytest.raises(UserError, match=r"context 'gone'.*contexts: main"):
        await from_kubeconfig(write(tmp_path / "config"), "gone")


@pytest.mark.parametrize(
    ("user", "cluster", "says"),
    [
        ({"username": "u", "password": "p"}, {}, "no longer take"),
        ({"auth-provider": {"name": "azure"}}, {}, "sign in again"),
        ({"client-certificate": "gone.pem", "client-key": "gone.pem"}, {}, "cannot read .*gone.pem"),
        ({"token": "t"}, {"server": ""}, "server"),
        ({"token": "t"}, {"server": "api.example"}, "server: https"),
        ({"token": "t"}, {"proxy-url": "socks5://p:1"}, "proxy of type socks5"),
        ({"client-certificate-data": "QUJD"}, {}, "takes both"),
        ({"token": "t", "as-groups": ["a"]}, {}, "as: NAME"),
        ({"tokenFile": "gone"}, {}, "cannot read .*gone"),
        ({"exec": {"command": "x"}}, {}, "gave no credentials"),
        ({"client-key-data": "%%%", "client-certificate-data": "abc"}, {}, "cannot be used"),
    ],
)
async def test_users_and_clusters_that_cannot_work(
    tmp_path: Path, user: dict[str, Any], cluster: dict[str, Any], says: str
) -> None:
    """They are refused when they are read, not at the first request."""
    with pytest.raises(UserError, match=says):
        await from_kubeconfig(write(tmp_path / "config", user, **cluster))


def test_nothing_heavy_is_imported() -> None:
    """A program in a cluster never loads the kubernetes package, nor YAML."""
    code = (
        "import sys, trio_argoagent.kube.client, trio_argoagent.kube.informer\n"
        "print([name for name in ('kubernetes', 'yaml', 'pydantic', 'requests') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
