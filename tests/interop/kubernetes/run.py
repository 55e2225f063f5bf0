"""``make interop``: build real API servers, start some, and run the tests that are about them.

What they are told is where a kubeconfig is (``TRIO_ARGOAGENT_TEST_KUBECONFIG``) with the contexts ``hub``,
``spoke`` and ``spoke-2``. Set it yourself, and the tests use your clusters; they make namespaces and define
Argo CD's kinds.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import trio
import yaml

from .build import SKIPPED, cache_folder, main
from .conftest import SPOKES, VARIABLE
from .servers import kubeconfig_of, open_servers


def pytest_command(arguments: list[str]) -> list[str]:
    """The tests that are about real servers, or those that are named."""
    named = [argument for argument in arguments if Path(argument.partition("::")[0]).exists()]
    here = Path(__file__).parent
    everything = [str(here), str(here.parents[1] / "parity")]
    return [sys.executable, "-m", "pytest", *([] if named else everything), *arguments]


async def run(arguments: list[str]) -> int:
    """Start the servers, and the tests as a process; its exit code.

    Whoever ends this ends the servers, too: they are in sessions of their own, where no signal of a terminal
    or of CI reaches them.
    """
    code = 128 + signal.SIGTERM
    async with trio.open_nursery() as nursery:
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGHUP) as signals:

            async def leave() -> None:
                await anext(aiter(signals))
                nursery.cancel_scope.cancel()

            nursery.start_soon(leave)
            code = await _tested(arguments)
            nursery.cancel_scope.cancel()
    return code


async def _tested(arguments: list[str]) -> int:
    with tempfile.TemporaryDirectory(prefix="trio-argoagent-interop-") as scratch:
        folder = Path(scratch)
        async with open_servers(cache_folder(), folder, ["hub", *SPOKES]) as servers:
            kubeconfig = folder / "kubeconfig"
            kubeconfig.write_text(yaml.safe_dump(kubeconfig_of(servers)))
            environment = os.environ | {VARIABLE: str(kubeconfig)}
            done = await trio.run_process(pytest_command(arguments), env=environment, check=False)
            return done.returncode


if __name__ == "__main__":
    if VARIABLE in os.environ:
        sys.exit(subprocess.run(pytest_command(sys.argv[1:]), check=False).returncode)
    code = main()
    sys.exit(trio.run(run, sys.argv[1:]) if code == 0 else 0 if code == SKIPPED else code)
