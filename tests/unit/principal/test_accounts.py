"""What the principal tells of its agents: each number is the one that its name says."""

from __future__ import annotations

from trio_argoagent.model.identity import Mode
from trio_argoagent.ports.transport import LinkStatistics
from trio_argoagent.principal import accounts
from trio_argoagent.principal.history import History
from trio_argoagent.principal.presence import SHOWN, Numbers
from trio_argoagent.principal.status import PeerStatus
from trio_argoagent.sync.replica import ReplicaStatistics
from trio_argoagent.sync.source import SourceStatistics


def test_numbers() -> None:
    """What is under way counts as not settled."""
    desired = SourceStatistics(
        phase="live", wanted=11, dirty=3, in_flight=2, refused=1, oldest_dirty=90.7,
        records=0, tombstones=0, mismatches=0,
    )  # fmt: skip
    observed = ReplicaStatistics(held=7, working=1, waiting=4, applied=0, rejected=0, reverted=0, contested=0)
    status = PeerStatus("edge", Mode.MANAGED, True, 6, desired, observed, "", LinkStatistics())
    assert accounts.numbers(status) == Numbers(
        wanted=11, unsettled=5, oldest=90, refused=1, held=7, pending=4, links=6
    )


def test_what_waits_for_nobody() -> None:
    """Some are named, and all are counted."""
    waiting = {("argocd", f"web-{number}"): "south" for number in range(SHOWN + 20)}
    told = accounts.fleet({}, waiting)
    assert (len(told.unclaimed), told.unclaimed_total) == (SHOWN, SHOWN + 20)
    assert told.unclaimed["argocd/web-0"] == "south"
    assert accounts.about(None, History((), lambda: 0.0)) is None
