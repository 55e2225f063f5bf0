"""``trio-argoagent conformance`` asks a principal that is a process, as one asks that of another make."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import trio

from trio_argoagent.testing.machine import LOOPBACK

from .programs import Fleet, environment, open_fleet
from .test_processes import DEADLINE

pytestmark = pytest.mark.processes


class Patient(Fleet):
    """Its principal bans nobody, however often he asks for what must not be."""

    def principal_arguments(self, *given: Any) -> Sequence[str]:
        """As everywhere, and without bans."""
        return (*super().principal_arguments(*given), "--no-bans")


async def test_a_principal_is_asked(tmp_path: Path) -> None:
    """Every case holds; a certificate of nobody holds in none, and says why."""
    async with open_fleet(tmp_path, Patient) as fleet:
        await fleet.hub.add_agents("probe")
        port = (await fleet.principal.wait_said("listening"))["detail"].rpartition(":")[2]
        command = [
            sys.executable, "-m", "trio_argoagent", "conformance", "principal",
            f"--server-address={LOOPBACK}", f"--server-port={port}", f"--root-ca-path={tmp_path / 'ca.crt'}",
        ]  # fmt: skip
        for name, code in (("probe", 0), ("stranger", 1)):
            certificate, key = fleet._pem(name, fleet.pki.agent(name))
            with trio.fail_after(DEADLINE):
                done = await trio.run_process(
                    [*command, f"--tls-client-cert={certificate}", f"--tls-client-key={key}"],
                    capture_stdout=True, env=environment(), check=False,
                )  # fmt: skip
            *lines, last = done.stdout.decode().splitlines()
            assert done.returncode == code, lines
            if code == 0:
                assert last == f"{len(lines)} of {len(lines)} hold" and len(lines) == 20
            else:
                assert lines[0].startswith("no  hello") and "unknown-agent" in lines[0], lines[0]
