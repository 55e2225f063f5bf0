"""The command line in this process, and files to give to it."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

import attrs
import pytest
import structlog

from trio_argoagent.apiserver.http import kubeconfig
from trio_argoagent.cli import main
from trio_argoagent.runtime.world import real_env
from trio_argoagent.testing.machine import UNOBSERVED, Pki


@attrs.frozen
class Said:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def line(self) -> str:
        """The one line of a mistake; anything more or less fails."""
        assert self.code == 2
        assert self.out == ""
        (line,) = self.err.splitlines()
        assert line.startswith("error: ")
        return line.removeprefix("error: ")


Run = Callable[..., Said]


@pytest.fixture
def run(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Run]:
    """Run a command line in an empty home; the process' logging is put back afterwards."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in [name for name in os.environ if name.startswith(("ARGOCD_", "KUBE"))]:
        monkeypatch.delenv(name)
    for name, value in UNOBSERVED.items():
        monkeypatch.setenv(name, value)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def command(*arguments: str) -> Said:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        out, err = capfd.readouterr()
        code = ended.value.code
        return Said(code if isinstance(code, int) else 0, out, err)

    yield command
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


@cache
def pki(name: str = "ours") -> Pki:
    """An authority of its own for each name; made once a run."""
    return Pki.create(real_env())


@attrs.frozen
class Files:
    """What both programs need, as files; each may be replaced by something worse."""

    folder: Path

    def write(self, name: str, content: bytes | str) -> str:
        """A file; its path."""
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def principal(self, **replaced: str) -> Sequence[str]:
        """A principal's command line that is good, but for what is replaced."""
        certificate, key = pki().server("principal")
        options = {
            "kubeconfig": self.write("config", kubeconfig("127.0.0.1", 1, pki().ca, "token", "main")),
            "listen-host": "127.0.0.1",
            "listen-port": "0",
            "tls-cert": self.write("server.crt", certificate),
            "tls-key": self.write("server.key", key),
            "root-ca-path": self.write("ca.crt", pki().ca),
        }
        return ["principal", *_options(options | _dashed(replaced))]

    def agent(self, **replaced: str) -> Sequence[str]:
        """Likewise an agent's."""
        certificate, key = pki().agent("east")
        options = {
            "kubeconfig": self.write("config", kubeconfig("127.0.0.1", 1, pki().ca, "token", "main")),
            "server-address": "127.0.0.1",
            "tls-client-cert": self.write("client.crt", certificate),
            "tls-client-key": self.write("client.key", key),
            "root-ca-path": self.write("ca.crt", pki().ca),
        }
        return ["agent", *_options(options | _dashed(replaced))]


def _dashed(options: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in options.items()}


def _options(options: dict[str, str]) -> list[str]:
    return [f"--{name}={value}" for name, value in options.items()]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """Good files."""
    return Files(tmp_path)
