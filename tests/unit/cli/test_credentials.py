"""Where a command looks for a cluster: a kubeconfig that is named, the usual one, a pod's account."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from trio_argoagent.apiserver.http import kubeconfig
from trio_argoagent.cli.credentials import find_credentials
from trio_argoagent.errors import UserError

from .conftest import pki

IN_A_POD = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}


def write(path: Path, name: str) -> str:
    """A kubeconfig whose server, and only context, have that name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(kubeconfig(name, 6443, pki().ca, "token", name))
    return str(path)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One with the usual kubeconfig."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    write(tmp_path / ".kube" / "config", "usual")
    return tmp_path


@pytest.mark.parametrize("environ", [{}, IN_A_POD])
async def test_what_is_named_counts(home: Path, environ: Mapping[str, str]) -> None:
    """A file, by option or environment; a context is one of a kubeconfig, also in a pod."""
    other = write(home / "other", "other")
    environ = {**environ}
    assert (await find_credentials(other, "", environ)).host == "other"
    assert (await find_credentials("", "", environ | {"KUBECONFIG": other})).host == "other"
    assert (await find_credentials("", "usual", environ)).host == "usual"
    with pytest.raises(UserError, match="'east'"):
        await find_credentials("", "east", environ)


async def test_the_usual_one() -> None:
    """On somebody's machine nothing needs to be named, as for kubectl."""
    assert (await find_credentials("", "", {})).host == "usual"


async def test_a_pod_has_its_own() -> None:
    """Whatever lies in its home."""
    with pytest.raises(UserError, match="serviceaccount/token"):
        await find_credentials("", "", IN_A_POD)


async def test_neither(home: Path) -> None:
    """The message says what to give."""
    (home / ".kube" / "config").unlink()
    with pytest.raises(UserError, match="set KUBECONFIG"):
        await find_credentials("", "", {})
