"""The demo as a newcomer runs it: its report, its end, and what it leaves behind, which is nothing."""

from __future__ import annotations

import codecs
import fcntl
import json
import os
import pty
import signal
import socket
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any, Final

import pytest
import trio

from .programs import environment

pytestmark = pytest.mark.processes

COMMAND: Final = (sys.executable, "-m", "trio_argoagent", "demo")
END_TIMEOUT: Final = 20.0
"""Seconds from Ctrl-C to the end."""
AGENT_KEYS: Final = {
    "name", "mode", "applications", "in_sync", "links", "records_sent", "bytes_sent", "bytes_received",
}  # fmt: skip


def scratch_environment(tmp_path: Path) -> dict[str, str]:
    """An environment whose temporary folder is the test's own."""
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    return environment() | {"TMPDIR": str(scratch), "TERM": "xterm", "PYTHONWARNINGS": "error"}


def left_in(environ: dict[str, str]) -> list[Path]:
    """What stands in the temporary folder."""
    return list(Path(environ["TMPDIR"]).iterdir())


def session_of(leader: int) -> list[int]:
    """The processes of the session that this process led, as far as they live."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[3]) == leader:
                found.append(int(entry.name))
    return found


async def reap(process: trio.Process) -> None:
    """End it if it has not ended, and leave nothing of it."""
    process.kill()
    await process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            await pipe.aclose()


def read(path: Path) -> str:
    """A file's content."""
    return path.read_text()


def write(path: Path, text: str) -> None:
    """A file with that content."""
    path.write_text(text)


def kubeconfigs(folder: Path) -> dict[str, Any]:
    """Those of a running demo by file name; each is for its owner alone."""
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())
    return {path.name: json.loads(path.read_text()) for path in folder.iterdir()}


async def test_a_headless_demo_reports_agreement_and_leaves_nothing(tmp_path: Path) -> None:
    """A cut, a restart, exit code 0, exactly the documented keys; no process, no file is left."""
    report = tmp_path / "report.json"
    environ = scratch_environment(tmp_path)
    options = ["--headless", "--duration", "4", "--cut", "west:1:1", "--restart", "hub:2"]
    command = [*COMMAND, *options, "--report", str(report)]
    process = await trio.lowlevel.open_process(command, env=environ, start_new_session=True)
    try:
        with trio.fail_after(90):
            await process.wait()
    finally:
        with trio.move_on_after(END_TIMEOUT, shield=True):
            await reap(process)
    assert process.returncode == 0
    value = json.loads(read(report))
    check_shape(value)
    assert (value["consistent"], value["differences"]) == (True, [])
    assert (value["cuts"], value["restarts"]) == (1, 1)
    modes = [(each["name"], each["mode"]) for each in value["agents"]]
    assert modes == [("east", "managed"), ("west", "managed"), ("edge", "autonomous")]
    for each in value["agents"]:
        assert each["in_sync"] == each["applications"] > 0
        assert each["links"] >= 2, "the hub was restarted"
    assert session_of(process.pid) == []
    assert left_in(environ) == []


def check_shape(value: dict[str, Any]) -> None:
    """The keys and types that README and the scripts of users rely on."""
    assert set(value) == {
        "consistent", "differences", "agents", "propagation_ms", "changes", "cuts", "restarts",
    }  # fmt: skip
    assert set(value["propagation_ms"]) == {"p50", "p99", "n"}
    assert all(set(each) == AGENT_KEYS for each in value["agents"])
    for each in value["agents"]:
        assert all(isinstance(each[key], int) for key in AGENT_KEYS - {"name", "mode"})
        assert each["bytes_sent"] > 0 < each["bytes_received"]
    assert value["changes"] > 0
    assert value["propagation_ms"]["n"] > 0
    assert 0 < value["propagation_ms"]["p50"] <= value["propagation_ms"]["p99"]


class Terminal:
    """A program on a terminal of its own, as a person has it before them."""

    def __init__(self, *options: str, environ: dict[str, str]) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 140, 0, 0))
        self.before = termios.tcgetattr(slave)
        # A session of its own, whose terminal this is: then the terminal turns Ctrl-C into the signal.
        leash = "import fcntl, os, sys, termios; os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
        start = f"{leash} os.execv(sys.executable, [sys.executable, '-m', 'trio_argoagent', *sys.argv[1:]])"
        command = [sys.executable, "-c", start, "demo", *options]
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environ)
        self._slave = slave
        # The terminal echoes a key at once, if need be in the middle of a character that the program writes.
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self.shown = ""

    async def wait_shown(self, text: str) -> None:
        """Until this has appeared on the screen."""
        while text not in self.shown:
            await self._read()

    async def _read(self) -> None:
        await trio.lowlevel.wait_readable(self._master)
        self.shown += self._decode(os.read(self._master, 65536))

    async def wait_ended(self) -> int:
        """The exit code; all that it has written until then is in ``shown``."""
        pidfd = os.pidfd_open(self.process.pid)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._read_on)
                await trio.lowlevel.wait_readable(pidfd)
                nursery.cancel_scope.cancel()
        finally:
            os.close(pidfd)
        os.write(self._slave, b"\0")  # Behind the last thing it wrote.
        await self.wait_shown("\0")
        return self.process.wait()

    async def _read_on(self) -> None:
        while True:
            await self._read()

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._master, keys)

    def close(self) -> list[Any]:
        """End it; the terminal's settings as they were left."""
        self.process.kill()
        self.process.wait()
        after = termios.tcgetattr(self._slave)
        os.close(self._slave)
        os.close(self._master)
        return after


async def test_ctrl_c_ends_the_screen_and_restores_the_terminal(tmp_path: Path) -> None:
    """Exit code 0 within seconds, the cursor back, the same settings; no file, process or port is left."""
    environ = scratch_environment(tmp_path)
    terminal = Terminal(environ=environ)
    try:
        with trio.fail_after(90):
            await terminal.wait_shown("live")
        (folder,) = left_in(environ)
        configs = kubeconfigs(folder)
        assert sorted(configs) == [f"{name}.kubeconfig" for name in ("east", "edge", "hub", "west")]
        ports = [int(c["clusters"][0]["cluster"]["server"].rpartition(":")[2]) for c in configs.values()]
        assert all(accepts(port) for port in ports)
        terminal.type(b"\x03")
        with trio.fail_after(END_TIMEOUT):
            assert await terminal.wait_ended() == 0
    finally:
        after = terminal.close()
    assert after == terminal.before
    hidden, visible = terminal.shown.rfind("\x1b[?25l"), terminal.shown.rfind("\x1b[?25h")
    assert -1 < hidden < visible
    assert "Traceback" not in terminal.shown
    assert session_of(terminal.process.pid) == []
    assert left_in(environ) == []
    assert not any(accepts(port) for port in ports)


def accepts(port: int) -> bool:
    """Does somebody listen there?"""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_headless_demo_ends_on_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    """A signal in the middle is a clean end: exit code 0, nothing left, an older report untouched."""
    environ = scratch_environment(tmp_path)
    report = tmp_path / "report.json"
    write(report, "precious")
    command = [*COMMAND, "--headless", "--agents", "1", "--report", str(report)]
    process = await trio.lowlevel.open_process(
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        with trio.fail_after(90):
            assert b"1 agents" in await process.stdout.receive_some()
        process.send_signal(number)
        with trio.fail_after(END_TIMEOUT):
            assert await process.wait() == 0
        assert await process.stderr.receive_some() == b""
    finally:
        with trio.move_on_after(END_TIMEOUT, shield=True):
            await reap(process)
    assert left_in(environ) == []
    assert read(report) == "precious"
