"""``trio-argoagent demo``: from options to a fleet."""

from __future__ import annotations

import math
from collections.abc import Sequence

from trio_argoagent.cli import running
from trio_argoagent.demo.settings import (
    HEADLESS_SECONDS,
    Settings,
    agent_names,
    parse_cuts,
    parse_restarts,
)
from trio_argoagent.demo.show import show


def run_demo(
    *,
    headless: bool,
    duration: float,
    agents: int,
    apps: int,
    cuts: Sequence[str],
    restarts: Sequence[str],
    files: Sequence[str],
    seed: int,
    report: str,
) -> None:
    """Run it until it is over or a signal comes."""

    async def program() -> int:
        names = agent_names(agents)
        known = [name for name, _ in names]
        seconds = duration or (HEADLESS_SECONDS if headless else 0.0)
        until = seconds or math.inf
        settings = Settings(
            agents=names,
            apps=apps,
            headless=headless,
            duration=seconds,
            cuts=parse_cuts(cuts, known, until),
            restarts=parse_restarts(restarts, known, until),
            files=tuple(files),
            seed=seed,
            report=report,
        )
        return await show(settings)

    running.run(program)
