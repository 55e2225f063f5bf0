"""``trio-argoagent apiserver`` as a process."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
import trio

from trio_argoagent.apiserver.core.kinds import CRDS
from trio_argoagent.errors import Forbidden
from trio_argoagent.kube.client import open_cluster
from trio_argoagent.kube.credentials import from_kubeconfig
from trio_argoagent.model.resources import APPLICATIONS, CONFIG_MAPS, NAMESPACES

from . import definitions
from .programs import environment

pytestmark = pytest.mark.processes

COMMAND: Final = (sys.executable, "-m", "trio_argoagent", "apiserver")
PATIENCE: Final = 90.0
"""Seconds until it serves, or has ended."""


@asynccontextmanager
async def started(*arguments: str) -> AsyncIterator[tuple[trio.Process, str]]:
    """The process, and the first line of its output. It is gone at the end, however the block ends."""
    process = await trio.lowlevel.open_process(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, env=environment()
    )
    assert process.stdout is not None
    said = b""
    try:
        with trio.fail_after(PATIENCE):
            while b"\n" not in said:
                part = await process.stdout.receive_some()
                assert part, "it has ended"
                said += part
        yield process, said.decode().partition("\n")[0]
    finally:
        process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()


async def end(process: trio.Process, number: signal.Signals) -> int:
    """Its exit code after that signal."""
    process.send_signal(number)
    with trio.fail_after(PATIENCE):
        return await process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_serves_until_it_is_told_to_stop(tmp_path: Path, number: signal.Signals) -> None:
    """The kubeconfig gets a client in, is for its owner only, and goes with the server."""
    path = tmp_path / "config"
    path.write_text("something older")
    async with started(f"--kubeconfig={path}", "--token=secret=ann") as (process, line):
        found = re.match(r"serving https://127\.0\.0\.1:\d+: kubectl --kubeconfig (\S+) get namespaces", line)
        assert found is not None
        assert found[1] == str(path)
        assert path.stat().st_mode & 0o777 == 0o600
        with trio.fail_after(PATIENCE):
            async with open_cluster(await from_kubeconfig(str(path), "")) as cluster:
                names = [item.meta.name for item in (await cluster.list(NAMESPACES)).items]
                assert "default" in names
                made = await cluster.create(
                    CONFIG_MAPS, {"metadata": {"name": "c1", "namespace": "default"}, "data": {"k": "v"}}
                )
                assert made.meta.uid
                assert not (await cluster.list(APPLICATIONS)).items
        assert await end(process, number) == 0
    assert not path.exists()


async def test_who_may_what_and_who_has_asked(tmp_path: Path) -> None:
    """With ``--authorization RBAC`` a user may do nothing yet, and a group what is bound to it."""
    path, log = tmp_path / "config", tmp_path / "audit"
    options = (f"--kubeconfig={path}", "--authorization=RBAC", f"--audit-log={log}")
    async with started(*options, "--token=t=ann,devs") as (process, _):
        with trio.fail_after(PATIENCE):
            async with open_cluster(await from_kubeconfig(str(path), "")) as cluster:
                with pytest.raises(Forbidden, match='User "ann" cannot list resource "configmaps"'):
                    await cluster.list(CONFIG_MAPS, "default")
        assert await end(process, signal.SIGTERM) == 0
    event = json.loads(log.read_text().splitlines()[-1])
    assert event["user"] == {"username": "ann", "groups": ["devs", "system:authenticated"]}
    assert (event["verb"], event["objectRef"]) == ("list", {"resource": "configmaps", "namespace": "default"})
    assert event["responseStatus"] == {"code": 403}
    assert event["annotations"] == {"authorization.k8s.io/decision": "forbid"}


async def test_the_kubeconfig_on_standard_output() -> None:
    """Without a file, standard output is the kubeconfig and nothing else."""
    process = await trio.lowlevel.open_process(
        [*COMMAND, "--token=t"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    )
    assert process.stdout is not None
    said = b""
    value: Any = None
    try:
        with trio.fail_after(PATIENCE):
            while value is None:
                part = await process.stdout.receive_some()
                assert part, "it has ended"
                said += part
                try:
                    value = json.loads(said)
                except ValueError:
                    continue
        assert await end(process, signal.SIGINT) == 0
    finally:
        process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()
    assert value["users"][0]["user"]["token"] == "t"


async def kinds(path: Path) -> Sequence[str]:
    """The definitions that are served."""
    async with open_cluster(await from_kubeconfig(str(path), "")) as cluster:
        return [item.meta.name for item in (await cluster.list(CRDS)).items]


async def test_without_argo_cd(tmp_path: Path) -> None:
    """A bare one has none of its kinds."""
    path = tmp_path / "config"
    async with started(f"--kubeconfig={path}", "--bare"):
        with trio.fail_after(PATIENCE):
            assert await kinds(path) == []


@definitions.needed
async def test_argo_cd_s_own_definitions(tmp_path: Path) -> None:
    """They take the place of the shipped ones."""
    path = tmp_path / "config"
    async with started(f"--kubeconfig={path}", f"--crds={definitions.FOLDER}"):
        with trio.fail_after(PATIENCE):
            assert await kinds(path) == [
                f"{name}.argoproj.io" for name in ("applications", "applicationsets", "appprojects")
            ]
