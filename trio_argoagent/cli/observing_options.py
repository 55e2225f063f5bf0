"""What the options say on the ports at which a program shows whether it works and what it does."""

from __future__ import annotations

import attrs


@attrs.frozen
class ObservingOptions:
    """What the options say; a port 0 is not opened."""

    metrics_port: int
    healthz_port: int
    pprof_port: int
