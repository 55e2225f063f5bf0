"""What the options say on the ports at which a program shows whether it works and what it does."""

from __future__ import annotations

import attrs

from trio_argoagent.errors import UserError


@attrs.frozen
class ObservingOptions:
    """What the options say; a port 0 is not opened."""

    metrics_port: int
    healthz_port: int
    pprof_port: int

    def check(self) -> None:
        """Look whether they go together: metrics and health may share a port.

        Raises:
            UserError: a port would show everybody what is for this machine alone.
        """
        for other, port in (("--metrics-port", self.metrics_port), ("--healthz-port", self.healthz_port)):
            if port and port == self.pprof_port:
                raise UserError(f"--pprof-port: is {other}, too, which others may reach; choose another one")
