"""Which refusals stand: at once, after a while, never, and until when."""

from __future__ import annotations

import pytest

from trio_argoagent.model.keys import Key, Kind, Verb
from trio_argoagent.model.records import Outcome
from trio_argoagent.replication import refusals
from trio_argoagent.replication.refusals import Refusals
from trio_argoagent.sync import guard, intents, plan, replica

APP = Key(Kind.APPLICATION, "argocd", "web")
PROJECT = Key(Kind.APP_PROJECT, "argocd", "web")
STATUS = APP.of(Kind.STATUS)
PLACE = (Kind.APPLICATION, ("argocd", "web"))
NO, WAIT, YES = Outcome.REJECTED, Outcome.PENDING, Outcome.APPLIED


class Other:
    """What the other side holds."""

    def __init__(self) -> None:
        self.settled: set[Key] = set()
        self.refusals = Refusals(
            lambda key: (key.namespace, key.name), self.settled.__contains__, "agent m1", "the hub"
        )


def test_a_rejection_stands_at_once_and_what_is_pending_after_a_while() -> None:
    """A moment of waiting is no news."""
    other = Other()
    assert other.refusals.heard(APP, NO, "spec.x: wrong", 0.0)
    said = other.refusals.wanted(APP, 0.0)
    assert said == "agent m1: spec.x: wrong (change the object; the same is tried again in 5 minutes)"
    assert other.refusals.heard(APP, WAIT, "it is forbidden", 1.0)
    assert (
        other.refusals.wanted(APP, 1.0)
        == "agent m1: it is forbidden (grant that right; it is tried again by itself)"
    )
    other = Other()
    other.refusals.heard(APP, WAIT, "it is forbidden", 10.0)
    assert other.refusals.wanted(APP, 14.9) is None
    assert other.refusals.next_deadline(10.0) == 15.0
    other.refusals.heard(APP, WAIT, "waits for another reason", 14.0)
    assert "waits for another reason" in str(other.refusals.wanted(APP, 15.0))
    assert other.refusals.next_deadline(15.0) is None


@pytest.mark.parametrize(
    "reason",
    [intents.BUSY, intents.NO_COPY, intents.LEAVING, plan.TERMINATING, guard.HELD + guard.SETTLING,
     refusals.NO_OBJECT, refusals.OTHER_OBJECT, "Application web needs it to be deleted"],
)  # fmt: skip
def test_what_passes_by_itself_is_not_told(reason: str) -> None:
    """Nobody has to act on it; told as a rejection it would be."""
    other = Other()
    assert not other.refusals.heard(APP, WAIT, reason, 0.0)
    assert not other.refusals
    assert other.refusals.heard(APP, NO, reason, 0.0)


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        ("waits for AppProject team", "let this agent have it"),
        (replica.CONTESTED, "find out who"),
        ("the hub has an object of its own of that name", "rename or remove"),
        ("the hub's object of that name mirrors another agent's", "rename one"),
        ('namespaces "argocd" not found', "create the namespace"),
        (guard.HELD + "more than the budget", "ctl deletes confirm"),
        ("whatever else", "tried again by itself"),
    ],
)
def test_each_says_what_to_do(reason: str, advice: str) -> None:
    """One line: where, what is wrong, what to do."""
    assert advice in refusals.explain("agent m1", reason, final=False)


def test_a_message_is_one_line_and_bounded() -> None:
    """An API server's answer may be neither."""
    text = refusals.explain("agent m1", "a\nb\t" + "x" * 5000, final=True)
    assert text.startswith("agent m1: a b xxx")
    assert text.endswith("... (change the object; the same is tried again in 5 minutes)")
    assert len(text) == refusals.MAX_MESSAGE


def test_it_falls_when_it_is_applied_or_nothing_is_missing_any_more() -> None:
    """Until one of them is known it stands, whatever becomes of the link."""
    other = Other()
    other.refusals.heard(APP, NO, "no", 0.0)
    assert other.refusals.wanted(APP, 900.0)
    assert other.refusals.heard(APP, YES, "", 0.0)
    assert other.refusals.wanted(APP, 0.0) is None  # Not known: the answer to another key may be missing.
    other.settled.add(APP)
    assert other.refusals.wanted(APP, 0.0) == ""
    assert not other.refusals.heard(APP, YES, "", 0.0)
    other.refusals.heard(APP, NO, "no", 0.0)
    assert other.refusals.wanted(APP, 0.0) == ""
    assert other.refusals.places() == []


def test_what_this_side_refuses_does_not_fall_by_what_the_other_holds() -> None:
    """But with its own answer, or with the object."""
    other = Other()
    other.settled |= {APP, STATUS}
    other.refusals.heard(STATUS, NO, "status.x: wrong", 0.0, local=True)
    assert str(other.refusals.wanted(APP, 0.0)).startswith("the hub: status.x: wrong")
    assert other.refusals.stands(*PLACE)
    other.refusals.forget_local(PLACE[1])
    assert other.refusals.wanted(APP, 0.0) == ""


def test_all_that_is_refused_of_one_object_is_said_once_each() -> None:
    """A refresh and a spec that fail for one reason are one line."""
    other = Other()
    for key in (APP, APP.of(Kind.INTENT, Verb.REFRESH), APP.of(Kind.INTENT, Verb.TERMINATE)):
        other.refusals.heard(key, NO, "no", 0.0)
    other.refusals.heard(STATUS, NO, "neither", 0.0, local=True)
    said = str(other.refusals.wanted(APP, 0.0))
    assert said.count("agent m1: no") == 1
    assert "; the hub: neither" in said


def test_a_rejected_sync_is_told_elsewhere() -> None:
    """It is answered in the operationState, where whoever asked for it looks."""
    other = Other()
    sync = APP.of(Kind.INTENT, Verb.SYNC)
    other.refusals.heard(sync, WAIT, "it is forbidden", 0.0)
    assert other.refusals
    assert other.refusals.heard(sync, NO, "no", 1.0)
    assert not other.refusals


def test_projects_and_applications_of_one_name_are_two() -> None:
    """Where each is shown differs."""
    other = Other()
    other.refusals.heard(PROJECT, NO, "no", 0.0)
    assert other.refusals.places() == [(Kind.APP_PROJECT, ("argocd", "web"))]
    assert other.refusals.wanted(APP, 0.0) is None
    assert other.refusals.wanted(PROJECT, 0.0)


def test_what_is_too_much_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what is remembered is still updated."""
    monkeypatch.setattr(refusals, "MAX_REFUSALS", 1)
    other = Other()
    other.refusals.heard(APP, NO, "no", 0.0)
    assert not other.refusals.heard(PROJECT, NO, "no", 0.0)
    assert other.refusals.untold == 1
    assert other.refusals.heard(APP, NO, "still no", 0.0)
    other.refusals.forget(APP)
    assert other.refusals.heard(PROJECT, NO, "no", 0.0)
