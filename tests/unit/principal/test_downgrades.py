"""An agent that was here before comes back as less, or as somebody else: what each difference comes to.

Only capabilities may be fewer: then both sides do without, and nothing that protects anybody hangs on one.
Every other difference is refused, with one line for the agent and the same for the hub; nothing has changed.
"""

from __future__ import annotations

from typing import Any, Final

import attrs
import pytest
from trio.testing import MockClock

from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import EVENTS, SECRETS
from trio_argoagent.model.rulings import Decision
from trio_argoagent.stream.protocol import messages as m
from trio_argoagent.stream.protocol.negotiation import NEWEST, OURS, Capability, names

from .hub import HUB, Hub, open_hub

ALL: Final = names(OURS.capabilities)
FIRST: Final[dict[str, Any]] = {"capabilities": ALL, "protocols": (1, NEWEST), "selector": "team=a"}
REPIN: Final = "if that is meant: trio-argoagent ctl agent repin edge"


@attrs.frozen
class Cell:
    """What comes of one difference; ``welcome``: the capabilities that count, None: it is refused."""

    differs: dict[str, Any]
    welcome: tuple[str, ...] | None = None
    reason: m.Reason = m.Reason.OTHER
    detail: str = ""
    decision: Decision = Decision.REFUSED


def fewer(*left: str) -> Cell:
    """So many capabilities are no reason to refuse anybody."""
    return Cell({"capabilities": left}, tuple(each for each in ALL if each in left))


def version(low: int, high: int, span: str, who: str) -> Cell:
    """Versions that have none in common with ours."""
    said = f"the agent speaks protocol {span}, the principal 1: upgrade the {who}"
    return Cell({"protocols": (low, high)}, None, m.Reason.VERSION, said)


MAPPED: Final = "the agent maps by destination, the principal by namespace: give both --destination-"
MODE: Final = f"edge is known as managed in namespace argocd; {REPIN}"
OTHER: Final = f"edge is known as another cluster; give this one a name and certificate of its own; {REPIN}"
MATRIX: Final[dict[str, Cell]] = {
    "nothing": Cell({}, ALL),
    "no capabilities": fewer(),
    **{f"without {each.value}": fewer(*(name for name in ALL if name != each)) for each in Capability},
    **{f"{each.value} alone": fewer(each.value) for each in Capability},
    "capabilities of tomorrow": fewer(*ALL, "tomorrow"),
    "one capability twice": fewer("zstd", "zstd"),
    "more versions": Cell({"protocols": (1, 9)}, ALL),
    "versions of tomorrow": version(2, 9, "2 to 9", "principal"),
    "one version of tomorrow": version(2, 2, "2", "principal"),
    "the other mode": Cell(
        {"mode": Mode.AUTONOMOUS}, None, m.Reason.MODE, MODE, Decision.MODE_REFUSED
    ),
    "another namespace": Cell({"namespace": "other"}, None, m.Reason.MODE, MODE, Decision.MODE_REFUSED),
    "another cluster": Cell({"cluster_uid": "c2"}, None, m.Reason.IDENTITY, OTHER),
    "another cluster and mode": Cell(
        {"cluster_uid": "c2", "mode": Mode.AUTONOMOUS}, None, m.Reason.IDENTITY, OTHER
    ),
    "another mapping": Cell({"mapping": "destination"}, None, m.Reason.MAPPING, MAPPED),
    "no mapping that there is": Cell({"mapping": "x"}, None, m.Reason.MAPPING, "the agent maps by something"),
    "a selector that is none": Cell({"selector": "a in"}, None, m.Reason.SELECTOR, "its --label-selector: "),
    "another selector": Cell({"selector": "team=b"}, ALL),
    "an older program": Cell({"version": "0.0.1"}, ALL),
}


NO_SELECTOR = "its --label-selector is none: the agent's log says why"
"""What it has said is not repeated: it would be another Event each time."""


def pinned(hub: Hub) -> tuple[object, ...]:
    """What the hub knows of the agent."""
    secret = hub.find(SECRETS, HUB, "cluster-edge")
    assert secret is not None
    return secret.meta.resource_version, secret.annotations


@pytest.mark.parametrize("name", MATRIX)
async def test_what_a_difference_comes_to(name: str, autojump_clock: MockClock) -> None:
    """Cell by cell: the answer, the ruling, what the hub's people see; and the pin is as it was."""
    cell = MATRIX[name]
    async with open_hub("edge") as hub:
        before = await hub.join("edge", **FIRST)
        await before.link.close()
        await before.wait_end()
        known = pinned(hub)
        agent = await hub.dial("edge", **FIRST | cell.differs)
        if cell.welcome is not None:
            welcome = await agent.hear(m.Welcome)
            assert (welcome.protocol, welcome.capabilities) == (1, cell.welcome)
            assert hub.rulings[-1].decision is Decision.ADMITTED
        else:
            refuse = await agent.hear(m.Refuse)
            assert refuse.reason is cell.reason and refuse.detail.startswith(cell.detail)
            assert "\n" not in refuse.detail and "c1" not in refuse.detail
            await agent.wait_end()
            ruling = hub.rulings[-1]
            assert (ruling.decision, ruling.reason) == (cell.decision, refuse.detail)
            (event,) = (await hub.users.list(EVENTS, HUB)).items
            shown = NO_SELECTOR if refuse.reason is m.Reason.SELECTOR else refuse.detail
            assert event.get("message") == f"agent edge was not let in: {shown}"
        assert pinned(hub) == known
        assert not [each for each in hub.events if each.level == "error"]
