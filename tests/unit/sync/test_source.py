"""The rules of a Source, one by one."""

from __future__ import annotations

import math

import attrs
import pytest

from trio_argoagent.errors import RemoteProtocolError
from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.latency import BOUNDS
from trio_argoagent.model.records import AS_ASKED, DRIFT, Evidence, Holding, Outcome, Result
from trio_argoagent.sync import source as source_module
from trio_argoagent.sync.buckets import Buckets, bucket_of
from trio_argoagent.sync.kinds import Rank
from trio_argoagent.sync.source import (
    COSMETIC_INTERVAL,
    REFUSED_RETRY,
    SUPERSEDE_AFTER,
    Phase,
    Source,
    Ticket,
    Want,
)

APP = Key(Kind.APPLICATION, "argocd", "web")
OTHER = Key(Kind.APPLICATION, "argocd", "other")
INTENT = Key(Kind.INTENT, "argocd", "web", "sync")
EMPTY_ROOT = Buckets().root()


def want(digest: str = "D1", uid: str = "u1", **more: object) -> Want:
    """A want for a spec."""
    return Want(uid, digest, Rank.SPEC, **more)  # type: ignore[arg-type]


def status(digest: str, substance: str, aside: str = "") -> Want:
    """A want for a status."""
    return Want("u1", digest, Rank.STATUS, substance=substance, aside=aside)


def live() -> Source:
    """A source on a link whose replica holds nothing."""
    source = Source()
    assert source.link_up(EMPTY_ROOT, 0.0) is None
    return source


def applied(source: Source, ticket: Ticket | None, now: float = 0.0) -> None:
    """The replica answers that it has applied this ticket."""
    assert ticket is not None
    holding = ticket.want.holding if ticket.want is not None else None
    assert source.result(Result(ticket.number, Outcome.APPLIED, holding=holding), now) == ticket


def holding_app(digest: str = "D1", uid: str = "u1") -> Source:
    """A source whose replica holds the application, with nothing else to do."""
    source = live()
    source.want(APP, want(digest, uid), 0.0)
    applied(source, source.take(0.0))
    assert source.proven
    return source


def test_two_changed_of_a_thousand_ask_for_their_buckets_only() -> None:
    """The hashes name exactly the buckets of what differs, and only those two keys are sent."""
    keys = [Key(Kind.APPLICATION, "argocd", f"app-{n}") for n in range(1_000)]
    source, replica = Source(), Buckets()
    for key in keys:
        source.want(key, want(), 0.0)
        replica.set(key, want().holding)
    changed = keys[7], keys[500]
    for key in changed:
        source.want(key, want("D2"), 0.0)
    hashes = source.link_up(replica.root(), 0.0)
    assert hashes is not None
    indices = replica.differing(hashes)
    assert sorted(indices) == sorted({bucket_of(key) for key in changed})
    source.leaf(indices, replica.listing(indices), True, 0.0)
    tickets = [source.take(0.0), source.take(0.0)]
    assert {ticket.key for ticket in tickets if ticket is not None} == set(changed)
    assert source.take(0.0) is None


def test_nothing_but_intents_is_sent_while_comparing() -> None:
    """What the replica holds is not known yet; an intent needs no such knowledge."""
    source = Source()
    source.want(APP, want(), 0.0)
    source.want(INTENT, Want("u1", "i1", Rank.INTENT, answered_only=True, listed=False), 0.0)
    assert source.link_up(EMPTY_ROOT, 0.0) is not None
    ticket = source.take(0.0)
    assert ticket is not None and ticket.key == INTENT
    assert source.take(0.0) is None and not source.proven
    source.leaf((bucket_of(APP),), (), True, 0.0)
    ticket = source.take(0.0)
    assert ticket is not None and ticket.key == APP


def test_a_leaf_nobody_asked_for_is_the_peers_fault() -> None:
    """Outside a comparison a leaf breaks the protocol."""
    with pytest.raises(RemoteProtocolError, match="no comparison"):
        live().leaf((), (), True, 0.0)


def test_haves_during_a_comparison_are_older_than_its_leaf() -> None:
    """They left before the listing: the listing stands."""
    source = Source()
    source.want(APP, want(), 0.0)
    source.link_up(EMPTY_ROOT, 0.0)
    source.have([(APP, Holding("u1", DRIFT))], 0.0)
    source.leaf((bucket_of(APP),), [(APP, want().holding)], True, 0.0)
    assert source.proven and source.take(0.0) is None


def test_a_have_during_a_comparison_buries_nothing() -> None:
    """What the replica holds is known only when the comparison ends."""
    source = Source()
    source.want(APP, want(), 0.0)
    source.set_complete(Kind.APPLICATION, True, 0.0)
    source.link_up(EMPTY_ROOT, 0.0)
    other = APP.of(Kind.APPLICATION, "x")
    source.have([(other, want().holding)], 0.0)
    assert source.take(0.0) is None


def test_a_witnessed_tombstone_names_the_uid_that_is_held() -> None:
    """The deletion of that very uid was seen: no complete view is needed."""
    source = holding_app()
    source.absent(APP, 1.0, witnessed="u1")
    ticket = source.take(1.0)
    assert ticket is not None and ticket.want is None
    assert (ticket.uid, ticket.evidence) == ("u1", Evidence.WITNESSED)
    applied(source, ticket, 1.0)
    assert source.proven and source.statistics(1.0).tombstones == 1


def test_absence_from_an_incomplete_view_is_no_evidence() -> None:
    """An inferred tombstone goes only once the view is whole, and is not proven till then."""
    source = holding_app()
    source.absent(APP, 1.0)
    assert source.take(1.0) is None and not source.proven
    source.set_complete(Kind.APP_PROJECT, True, 2.0)
    assert source.take(2.0) is None
    source.set_complete(Kind.APPLICATION, True, 3.0)
    ticket = source.take(3.0)
    assert ticket is not None and (ticket.uid, ticket.evidence) == ("u1", Evidence.INFERRED)


def test_a_recreated_object_tells_what_it_replaces() -> None:
    """The new value carries the uid whose deletion was witnessed, so that the replica may make room."""
    source = holding_app()
    source.absent(APP, 1.0, witnessed="u1")
    source.want(APP, want("D2", "u2"), 1.0)
    ticket = source.take(1.0)
    assert ticket is not None and (ticket.uid, ticket.replaces) == ("u2", "u1")


def test_witnesses_survive_a_cut() -> None:
    """What was seen to go while nobody listened is still witnessed when a link comes up."""
    source = holding_app()
    source.link_down(1.0)
    source.absent(APP, 2.0, witnessed="u1")
    held = Buckets()
    held.set(APP, want().holding)
    assert source.link_up(held.root(), 3.0) is not None
    source.leaf((bucket_of(APP),), [(APP, want().holding)], True, 3.0)
    ticket = source.take(3.0)
    assert ticket is not None and ticket.evidence is Evidence.WITNESSED


def test_too_many_witnesses_become_inferred(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest is forgotten: without a complete view its tombstone must not leave any more."""
    monkeypatch.setattr(source_module, "MAX_WITNESSED", 1)
    other = Key(Kind.APPLICATION, "argocd", "other")
    source = live()
    for key, uid in ((APP, "u1"), (other, "u2")):
        source.want(key, want(uid=uid), 0.0)
        applied(source, source.take(0.0))
    source.absent(APP, 1.0, witnessed="u1")
    source.absent(other, 1.0, witnessed="u2")
    ticket = source.take(1.0)
    assert ticket is not None and ticket.uid == "u2"
    assert source.take(1.0) is None and not source.proven


def test_a_newer_value_waits_a_second_for_the_answer() -> None:
    """One record per key in flight; after ``SUPERSEDE_AFTER`` the newest value may follow."""
    source = live()
    source.want(APP, want("D1"), 0.0)
    first = source.take(0.0)
    source.want(APP, want("D2"), 0.5)
    assert first is not None and source.take(0.5) is None
    assert source.next_deadline() == SUPERSEDE_AFTER
    second = source.take(SUPERSEDE_AFTER)
    assert second is not None and second.want == want("D2")


def test_a_newer_value_follows_a_pending_one_at_once() -> None:
    """Pending means that the replica has it and waits: there is nothing to wait for."""
    source = live()
    source.want(APP, want("D1"), 0.0)
    first = source.take(0.0)
    assert first is not None
    assert source.result(Result(first.number, Outcome.PENDING, "busy"), 0.1) is None
    assert source.waiting() == [(APP, "busy")] and source.take(0.1) is None
    source.want(APP, want("D2"), 0.2)
    assert source.take(0.2) is not None


def test_the_answer_to_a_superseded_number_is_ignored() -> None:
    """Late results change nothing: not on this link, and not from the link before."""
    source = live()
    source.want(APP, want("D1"), 0.0)
    first = source.take(0.0)
    source.want(APP, want("D2"), 0.0)
    second = source.take(2.0)
    assert first is not None and second is not None
    late = Result(first.number, Outcome.APPLIED, holding=Holding("u1", "D2"))
    assert source.result(late, 2.0) is None and not source.proven
    source.link_up(EMPTY_ROOT, 3.0)
    source.leaf((bucket_of(APP),), (), True, 3.0)
    assert source.result(Result(second.number, Outcome.APPLIED), 3.0) is None
    third = source.take(3.0)
    assert third is not None and third.number > second.number


def test_what_was_in_flight_is_sent_again_on_the_next_link() -> None:
    """A cut loses the answer, so nothing is assumed."""
    source = live()
    source.want(APP, want(), 0.0)
    assert source.take(0.0) is not None
    source.link_down(1.0)
    assert source.take(1.0) is None and source.phase is Phase.DOWN
    assert source.link_up(EMPTY_ROOT, 2.0) is not None
    source.leaf((bucket_of(APP),), (), True, 2.0)
    assert source.take(2.0) is not None


def test_a_rejected_value_is_not_sent_again_until_something_changes() -> None:
    """It stays visible and unproven; a new value, a change at the replica or a new link tries at once."""
    source = live()
    source.want(APP, want("D1"), 0.0)
    ticket = source.take(0.0)
    assert ticket is not None
    assert source.result(Result(ticket.number, Outcome.REJECTED, "invalid"), 0.0) == ticket
    assert source.take(100.0) is None and not source.proven
    assert source.waiting() == [(APP, "invalid")] and source.statistics(0.0).refused == 1
    source.have([(APP, None)], 101.0)
    assert source.take(101.0) is not None


def test_a_rejected_value_is_offered_once_more_every_few_minutes() -> None:
    """What refuses it may have changed, and nobody would tell; an intent's asker has had his answer."""
    source = live()
    source.want(APP, want("D1"), 0.0)
    source.want(INTENT, Want("u1", "I1", Rank.INTENT, answered_only=True, listed=False), 0.0)
    now = 0.0
    for _ in range(3):
        while (ticket := source.take(now)) is not None:
            source.result(Result(ticket.number, Outcome.REJECTED, "invalid"), now)
        assert source.next_deadline() == now + REFUSED_RETRY
        now += REFUSED_RETRY
    assert source.statistics(now).rejected == 4
    applied(source, source.take(now), now)
    assert source.take(now + REFUSED_RETRY) is None and source.statistics(now).refused == 1


def test_a_rejected_tombstone_is_not_sent_again() -> None:
    """An admission webhook that forbids a deletion must not be asked for ever, without a pause."""
    source = holding_app()
    source.absent(APP, 1.0, witnessed="u1")
    ticket = source.take(1.0)
    assert ticket is not None
    source.result(Result(ticket.number, Outcome.REJECTED, "denied", want().holding), 1.0)
    assert source.take(1.0) is None and not source.proven
    assert source.waiting() == [(APP, "denied")]


def test_absence_ends_a_forced_send() -> None:
    """A key that was to be sent once more and is then gone before it was held sends nothing."""
    source = live()
    source.want(APP, want(), 0.0)
    source.force(APP, 0.0)
    source.absent(APP, 0.0)
    assert source.take(0.0) is None and source.proven


def test_force_sends_what_is_held_once_more() -> None:
    """Exactly once."""
    source = holding_app()
    source.force(APP, 1.0)
    applied(source, source.take(1.0), 1.0)
    assert source.take(1.0) is None and source.proven


def test_drift_at_the_replica_is_sent_again() -> None:
    """A holding that is no longer what the record made is not what is wanted."""
    source = holding_app()
    source.have([(APP, Holding("u1", DRIFT))], 1.0)
    assert source.take(1.0) is not None


def test_cosmetic_changes_go_once_a_minute() -> None:
    """Time stamps alone wait; they are not dirty either; substance goes at once."""
    source = live()
    source.want(APP, status("S1", "same"), 0.0)
    applied(source, source.take(0.0))
    source.want(APP, status("S2", "same"), 1.0)
    assert source.take(1.0) is None and source.proven
    assert source.next_deadline() == COSMETIC_INTERVAL
    source.want(APP, status("S3", "other"), 2.0)
    applied(source, source.take(2.0), 2.0)
    source.want(APP, status("S4", "other"), 3.0)
    assert source.take(61.9) is None
    assert source.take(62.0) is not None


def test_a_cosmetic_change_does_not_overtake_an_unanswered_record() -> None:
    """A hub that is slow, or that has no such object yet, is not sent time stamps every second."""
    source = live()
    source.want(APP, status("S1", "same"), 0.0)
    ticket = source.take(0.0)
    assert ticket is not None
    source.result(Result(ticket.number, Outcome.PENDING, "no such object"), 0.0)
    source.want(APP, status("S2", "same"), 1.0)
    assert source.take(30.0) is None and not source.proven
    assert source.take(COSMETIC_INTERVAL) is not None


def test_what_rides_beside_the_digest_is_sent_when_it_changes() -> None:
    """Also where it changed while the link was down, and nothing that is compared did."""
    source = live()
    source.want(APP, status("S1", "same", "a"), 0.0)
    applied(source, source.take(0.0))
    source.want(APP, status("S1", "same", "b"), 1.0)
    applied(source, source.take(1.0), 1.0)
    source.link_down(2.0)
    source.want(APP, status("S1", "same", "c"), 2.0)
    assert source.link_up(source.root(), 3.0) is None
    applied(source, source.take(3.0), 3.0)
    assert source.take(3.0) is None and source.proven


def test_an_intent_is_settled_by_its_answer() -> None:
    """The replica holds nothing of it; on the next link it is asked again."""
    source = live()
    asked = Want("u1", "i1", Rank.INTENT, answered_only=True, listed=False)
    source.want(INTENT, asked, 0.0)
    ticket = source.take(0.0)
    assert ticket is not None
    source.result(Result(ticket.number, Outcome.APPLIED), 0.0)
    assert source.answered(INTENT) and source.take(0.0) is None
    assert source.link_up(EMPTY_ROOT, 1.0) is None
    assert not source.answered(INTENT) and source.take(1.0) is not None


def test_a_pending_intent_is_withdrawn_by_a_tombstone() -> None:
    """Else a sync that its user took back would start later; one that was answered needs none."""
    source = live()
    source.want(INTENT, Want("u1", "i1", Rank.INTENT, answered_only=True, listed=False), 0.0)
    ticket = source.take(0.0)
    assert ticket is not None
    source.result(Result(ticket.number, Outcome.PENDING, "busy"), 0.0)
    source.absent(INTENT, 1.0)
    gone = source.take(1.0)
    assert gone is not None and gone.want is None
    applied(source, gone, 1.0)
    assert source.take(1.0) is None and source.proven


def test_ranks_order_what_is_sent() -> None:
    """Intents, deletions, projects, specs, statuses: whatever the order in which they became dirty."""
    source = holding_app()
    ranks = [Rank.STATUS, Rank.SPEC, Rank.PROJECT, Rank.INTENT]
    for rank in ranks:
        source.want(Key(Kind.APPLICATION, "argocd", f"r{rank}"), Want("u", "D", rank), 1.0)
    source.absent(APP, 1.0, witnessed="u1")
    taken = [source.take(1.0) for _ in range(5)]
    names = [ticket.key.name for ticket in taken if ticket is not None]
    assert names == ["r0", "web", "r2", "r3", "r4"]


def test_a_key_that_never_rests_keeps_its_place() -> None:
    """Changes while it waits do not send it to the end of the queue."""
    source = live()
    other = Key(Kind.APPLICATION, "argocd", "other")
    source.want(APP, want("D1"), 0.0)
    source.want(other, want("D1"), 0.0)
    source.want(APP, want("D2"), 0.0)
    ticket = source.take(0.0)
    assert ticket is not None and (ticket.key, ticket.want) == (APP, want("D2"))


def test_a_mark_that_disagrees_starts_a_comparison() -> None:
    """And is counted; while a record is unanswered a mark says nothing."""
    source = holding_app()
    assert source.mark(source.root(), 1.0) is None
    source.want(APP, want("D2"), 1.0)
    ticket = source.take(1.0)
    assert source.mark(EMPTY_ROOT, 1.0) is None
    applied(source, ticket, 1.0)
    assert source.mark(EMPTY_ROOT, 1.0) == source._wanted.hashes()
    assert source.phase is Phase.COMPARING and source.statistics(1.0).mismatches == 1
    source.leaf((bucket_of(APP),), (), True, 1.0)
    assert source.take(1.0) is not None


def test_statistics_tell_the_oldest_dirty_key() -> None:
    """Seconds since the oldest key that is not settled became dirty; 0 when all are."""
    source = holding_app()
    assert source.statistics(5.0).oldest_dirty == 0.0
    source.want(APP, want("D2"), 5.0)
    source.want(APP, want("D3"), 7.0)
    counted = source.statistics(9.0)
    assert (counted.oldest_dirty, counted.dirty, counted.in_flight, counted.wanted) == (4.0, 1, 0, 1)


def test_what_is_gone_for_good_is_forgotten() -> None:
    """Memory is bounded by what is wanted or held, not by what ever was."""
    source = live()
    source.set_complete(Kind.APPLICATION, True, 0.0)
    for number in range(50):
        key = Key(Kind.APPLICATION, "argocd", f"app-{number}")
        source.want(key, want(), 0.0)
        applied(source, source.take(0.0))
        source.absent(key, 0.0, witnessed="u1" if number % 2 else "")
        applied(source, source.take(0.0))
    assert source._entries == {} and source._witnessed == {}


def test_every_record_is_accounted_for() -> None:
    """What was sent is applied, rejected, superseded, lost with its link, or still in flight."""
    source = live()
    for digest, at in (("D1", 0.0), ("D2", 2.0), ("D3", 4.0)):
        source.want(APP, want(digest), at)
        ticket = source.take(at)
    assert ticket is not None
    applied(source, ticket, 5.0)
    source.want(APP, want("D4"), 6.0)
    refused = source.take(6.0)
    assert refused is not None
    source.result(Result(refused.number, Outcome.REJECTED, "no"), 6.0)
    source.want(APP, want("D5"), 7.0)
    source.take(7.0)
    found = source.statistics(7.0)
    assert (found.records, found.in_flight) == (5, 1)
    assert (found.applied, found.rejected, found.superseded, found.forsaken) == (1, 1, 2, 0)
    source.link_down(8.0)
    found = source.statistics(8.0)
    assert (found.forsaken, found.in_flight, found.keys) == (1, 0, 1)


def test_what_could_not_be_read_goes_again_at_once() -> None:
    """Whatever it was sent for: also where nothing that is compared has changed."""
    source = holding_app()
    source.force(APP, 1.0)
    first = source.take(1.0)
    assert first is not None
    assert source.result(Result(first.number, Outcome.UNREADABLE, "", Holding("u1", "D1")), 1.0) is None
    again = source.take(1.0)
    assert again is not None and again.want == first.want and again.number != first.number
    assert source.take(1.0) is None
    applied(source, again, 1.0)
    assert source.proven and source.take(1.0) is None
    found = source.statistics(1.0)
    assert (found.records, found.applied, found.unreadable) == (3, 2, 1)


def test_what_could_not_be_read_and_is_gone_does_not_come_back() -> None:
    """Nothing is sent of a key that nobody wants any more, but for its tombstone."""
    source = live()
    source.want(APP, want(), 0.0)
    ticket = source.take(0.0)
    assert ticket is not None
    source.absent(APP, 0.0, witnessed="u1")
    source.result(Result(ticket.number, Outcome.UNREADABLE), 0.0)
    assert source.take(0.0) is None
    assert source.proven and source._entries == {}


def test_a_cascade_tells_how_its_deletion_is_known() -> None:
    """The evidence travels with the value; another evidence of the same value is sent, too."""
    source = holding_app()
    cascade = Want("u1", "D9", Rank.DELETION, answered_only=True, evidence=Evidence.INFERRED)
    source.want(APP, cascade, 1.0)
    ticket = source.take(1.0)
    assert ticket is not None and ticket.evidence is Evidence.INFERRED
    source.want(APP, attrs.evolve(cascade, evidence=Evidence.WITNESSED), 2.0)
    later = source.take(3.0)
    assert later is not None and later.evidence is Evidence.WITNESSED
    applied(source, later, 4.0)
    assert source.take(9.0) is None


def test_what_cannot_be_read_is_neither_sent_nor_buried() -> None:
    """Known or not when it was hidden, over a link's end too; a value, or its end, makes it count again."""
    for source in (holding_app(), Source()):
        source.set_complete(Kind.APPLICATION, True, 1.0)
        source.hide(APP, 1.0)
        source.link_down(2.0)
        held = Buckets()
        held.set(APP, Holding("u1", "D1"))
        if source.link_up(held.root(), 3.0) is not None:
            source.leaf([bucket_of(APP)], [(APP, Holding("u1", "D1"))], True, 3.0)
        assert source.take(4.0) is None and not source.proven and not source.answered(APP)
        source.want(APP, want("D1"), 5.0)
        assert source.take(5.0) is None and source.proven
        source.hide(APP, 6.0)
        source.absent(APP, 7.0)
        ticket = source.take(7.0)
        assert ticket is not None and ticket.want is None and ticket.uid == "u1"


def test_as_asked_is_what_the_record_says() -> None:
    """Of a value its uid and its D; of a tombstone nothing. It settles as the same holding in full does."""
    source = live()
    source.want(APP, want(), 0.0)
    first = source.take(0.0)
    assert first is not None
    source.result(Result(first.number, Outcome.APPLIED, holding=AS_ASKED), 0.0)
    assert source.held(APP) == want().holding and source.proven
    source.absent(APP, 1.0, witnessed="u1")
    second = source.take(1.0)
    assert second is not None
    source.result(Result(second.number, Outcome.APPLIED, holding=AS_ASKED), 1.0)
    assert source.held(APP) is None and source.proven


def test_how_far_behind_a_replica_may_be() -> None:
    """Nothing proven: for ever. In step: not at all. Else since the oldest change, or the end of the link."""
    source = Source()
    assert source.statistics(5.0).consistent_age == math.inf
    source.link_up(EMPTY_ROOT, 10.0)
    assert source.statistics(20.0).consistent_age == 0.0
    source.want(APP, want(), 20.0)
    source.want(OTHER, want(uid="u2"), 25.0)
    assert source.statistics(30.0).consistent_age == 10.0
    applied(source, source.take(30.0), 32.0)
    assert source.statistics(35.0).consistent_age == source.statistics(35.0).oldest_dirty == 10.0
    applied(source, source.take(35.0), 35.0)
    assert source.statistics(40.0).consistent_age == 0.0
    source.link_down(50.0)
    source.want(OTHER, want("D2", "u2"), 60.0)
    assert source.statistics(70.0).consistent_age == 20.0
    assert source.statistics(70.0).oldest_dirty == 10.0


def test_a_link_that_ends_twice_ends_once() -> None:
    """And a change that had waited counts from when it was made."""
    source = live()
    source.want(APP, want(), 5.0)
    source.link_down(8.0)
    source.link_down(20.0)
    assert source.statistics(30.0).consistent_age == 25.0


def test_a_comparison_proves_nothing_until_its_end() -> None:
    """What the continuous check finds to differ may have been so since it found last that nothing does."""
    source = holding_app()
    assert source.mark(source.root(), 60.0) is None
    assert source.mark(EMPTY_ROOT, 100.0) is not None
    assert source.statistics(103.0).consistent_age == 43.0
    source.leaf(range(256), [], True, 104.0)
    assert source.statistics(110.0).consistent_age == 50.0
    assert source.statistics(110.0).oldest_dirty == 6.0  # It is gone: since when it is known, it is dirty.
    source.want(OTHER, want(uid="u2"), 111.0)
    applied(source, source.take(111.0), 112.0)
    assert source.statistics(113.0).consistent_age == 2.0  # What was found is mended.
    applied(source, source.take(113.0), 114.0)
    assert source.statistics(120.0).consistent_age == 0.0


def test_what_a_link_finds_at_its_beginning() -> None:
    """May have been so since the last one ended, whatever is said of it before it is mended."""
    source = holding_app()
    source.link_down(50.0)
    source.link_up(EMPTY_ROOT, 80.0)
    assert source.statistics(81.0).consistent_age == 31.0
    source.leaf(range(256), [], True, 82.0)
    assert source.statistics(85.0).consistent_age == 35.0
    assert source.mark(EMPTY_ROOT, 90.0) is None  # It is as we think, and not as it should be.
    source.link_down(95.0)
    assert source.statistics(100.0).consistent_age == 50.0


def test_how_long_changes_take_is_counted() -> None:
    """From the change to the answer; what a comparison finds in place is nothing that was waited for."""
    source = live()
    source.want(APP, want(), 1.0)
    source.want(APP, want("D2"), 2.0)
    applied(source, source.take(2.0), 3.5)
    counted = source.statistics(4.0)
    assert counted.settled_total == 2.5 and sum(counted.settled) == 1
    assert counted.settled[BOUNDS.index(2.5)] == 1
    again = Source()
    again.want(APP, want("D2"), 0.0)
    again.link_up(source.root(), 9.0)
    assert again.proven and sum(again.statistics(9.0).settled) == 0


def test_a_refused_change_has_not_settled() -> None:
    """Only what is held counts."""
    source = live()
    source.want(APP, want(), 0.0)
    ticket = source.take(0.0)
    assert ticket is not None
    source.result(Result(ticket.number, Outcome.REJECTED, "no"), 1.0)
    assert sum(source.statistics(1.0).settled) == 0
