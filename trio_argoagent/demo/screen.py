"""The terminal screen: one line for each agent, what has just happened, and where kubectl may look."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime
from typing import Final

import trio
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from trio_argoagent.demo.fleet import Fleet, Node
from trio_argoagent.ports.env import Env

REFRESH: Final = 0.25
"""Seconds between two looks."""
LOG_LINES: Final = 200
"""Lines of the log that are kept; the screen shows as many as fit."""
_LINK_STYLE: Final = {"live": "green", "dialing": "yellow", "waiting": "yellow", "starting": "yellow"}
_FIXED_LINES: Final = 12


class Log:
    """What has just happened, newest last."""

    def __init__(self, env: Env) -> None:
        self._env = env
        self.lines: deque[Text] = deque(maxlen=LOG_LINES)

    def add(self, who: str, what: str, style: str = "") -> None:
        """One line."""
        clock = datetime.fromtimestamp(self._env.now(), UTC).strftime("%H:%M:%S")
        self.lines.append(Text.assemble((clock, "dim"), " ", (f"{who:<10}", "bold"), " ", (what, style)))


class Screen:
    """Draws the fleet until cancelled.

    Args:
        fleet: what is shown.
        log: likewise.
        console: where.
    """

    def __init__(self, fleet: Fleet, log: Log, console: Console) -> None:
        self._fleet, self._log, self.console = fleet, log, console

    async def run(self) -> None:
        """Draw until cancelled; the last picture stays."""
        with Live(console=self.console, auto_refresh=False, screen=False) as live:
            while True:
                live.update(self._draw(), refresh=True)
                await trio.sleep(REFRESH)

    def _draw(self) -> RenderableType:
        height = self.console.height - len(self._fleet.nodes) - len(self._fleet.nodes) - _FIXED_LINES
        shown = list(self._log.lines)[-max(3, height) :]
        return Group(
            self._table(), Panel(Group(*shown), title="what just happened", title_align="left"), self._hints()
        )

    def _table(self) -> Table:
        title = "trio-argoagent demo: one hub, one Argo CD, a fleet"
        table = Table(title=title, title_justify="left", expand=True)
        for column in ("agent", "mode", "link"):
            table.add_column(column)
        for column in ("objects held", "dirty", "in flight", "consistent as of", "last propagation"):
            table.add_column(column, justify="right")
        for node in self._fleet.nodes.values():
            table.add_row(*self._row(node))
        return table

    def _row(self, node: Node) -> list[RenderableType]:
        status = node.status
        if status is None:
            return [node.name, node.mode.value, Text("stopped", "red"), *["-"] * 5]
        peer = self._fleet.peers().get(node.name)
        link = "cut" if node.is_cut else status.link.value
        desired = peer.desired if peer is not None else None
        return [
            node.name,
            node.mode.value,
            Text(link, _LINK_STYLE.get(link, "red")),
            str(self._fleet.applications(node) + self._fleet.projects(node)),
            str(status.observed.dirty + (desired.dirty if desired is not None else 0)),
            str(status.observed.in_flight + (desired.in_flight if desired is not None else 0)),
            self._consistent(node, peer.consistent_as_of if peer is not None else ""),
            f"{node.stopwatch.last:.1f} ms" if node.stopwatch.last else "-",
        ]

    def _consistent(self, node: Node, hub: str) -> str:
        status = node.status
        spoke = status.consistent_as_of if status is not None else ""
        return f"hub {hub or '-'} / spoke {spoke or '-'}"

    def _hints(self) -> RenderableType:
        lines = [
            Text("The Application controllers are simulated. Look around with your own kubectl:", "dim"),
            *(
                Text(f"  kubectl --kubeconfig {machine.kubeconfig} get applications -A", "cyan")
                for machine in self._fleet.machines()
            ),
            Text("Ctrl-C ends it and leaves nothing behind.", "dim"),
        ]
        return Group(*lines)
