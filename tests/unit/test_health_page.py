"""The ports of docs/health.md are those of the options."""

from __future__ import annotations

import re
from pathlib import Path

from trio_argoagent.runtime.observing import routes
from trio_argoagent.runtime.observing.board import Board
from trio_argoagent.runtime.observing.server import CONNECTIONS, PATIENCE
from trio_argoagent.runtime.options.programs import PROGRAMS

PAGE = (Path(__file__).parents[2] / "docs" / "health.md").read_text()
ROW = re.compile(r"\| `/([a-z/]+)` \| (\w+) \| (\w+) \| `--([a-z-]+)`")


def test_the_ports() -> None:
    """Each path with its port of either program; 0 is off."""
    rows = ROW.findall(PAGE)
    shown = {**routes.health(Board()), **routes.metrics(Board()), **routes.debug()}
    assert {path.partition("/")[0] for path, *_ in rows} == set(shown)
    for _, principal, agent, option in rows:
        for name, port in (("principal", principal), ("agent", agent)):
            default = PROGRAMS[name].by_name[option.replace("-", "_")].default
            assert default == ("0" if port == "off" else port)


def test_the_bounds() -> None:
    """They are told as they are."""
    assert f"of more than {CONNECTIONS} at\nonce the oldest goes" in PAGE
    assert PATIENCE == 10.0 and "carries one request and has ten seconds" in PAGE
