"""Options on the ports at which a program shows whether it works and what it does.

argocd-agent's ``--pprof-port`` shows what Go's runtime knows of a program. Here it shows what Trio's knows:
the nursery tree.
"""

from __future__ import annotations

from typing import Final

from trio_argoagent.runtime.options.kinds import PORT
from trio_argoagent.runtime.options.rows import Option


def _rows(metrics: int, health: int) -> tuple[Option, ...]:
    return (
        Option(
            "--metrics-port",
            "METRICS_PORT",
            "metrics.port",
            PORT,
            str(metrics),
            "Port of /metrics, on all addresses; 0: none.",
        ),
        Option(
            "--healthz-port",
            "HEALTH_CHECK_PORT",
            "healthz.port",
            PORT,
            str(health),
            "Port of /livez, /readyz and /healthz, on all addresses; 0: none.",
        ),
        Option(
            "--pprof-port",
            "PPROF_PORT",
            "pprof.port",
            PORT,
            "0",
            "Port of /debug/tasks, on loopback only; 0: none.",
        ),
    )


PRINCIPAL: Final = _rows(8000, 8003)
AGENT: Final = _rows(8181, 8001)
