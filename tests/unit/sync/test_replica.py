"""The rules of a Replica, one by one."""

from __future__ import annotations

from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.records import AS_ASKED, DRIFT, Evidence, Holding, Outcome, Record, Result
from trio_argoagent.sync.replica import (
    CONTEST_BACKOFF,
    CONTESTED,
    MAX_REVERTS,
    RETRY_FIRST,
    RETRY_MAX,
    REVERT_WINDOW,
    Listing,
    Replica,
    Report,
    Root,
    Work,
)

APP = Key(Kind.APPLICATION, "argocd", "web")
OTHER = Key(Kind.APPLICATION, "argocd", "other")
INTENT = Key(Kind.INTENT, "argocd", "web", "sync")
GONE = Record(APP, "u1", "", "", None, Evidence.WITNESSED)
DRIFTED = Holding("u1", DRIFT)


def record(digest: str = "D1", key: Key = APP) -> Record:
    """A record of ``u1``."""
    return Record(key, "u1", digest, "", b"{}")


def held(digest: str = "D1") -> Holding:
    """What is held once that record is applied."""
    return Holding("u1", digest)


def linked() -> Replica:
    """A replica on a link that holds nothing."""
    replica = Replica(lambda key: key.kind is not Kind.INTENT)
    replica.link_up()
    return replica


def reports(replica: Replica) -> list[Report]:
    """All that there is to report."""
    return list(replica.reports(1_000))


def apply(replica: Replica, now: float = 0.0, holding: Holding | None = None) -> Work:
    """The next worker brings its record about (``holding``: but this is found afterwards)."""
    work = replica.take(now)
    assert work is not None
    made = None if work.record.tombstone else Holding(work.record.uid, work.record.digest)
    result = Result(0, Outcome.APPLIED, holding=holding or made)
    replica.done(work, result, now, retain=not work.record.tombstone)
    return work


def holding_app() -> Replica:
    """A linked replica that holds D1 of the application, and has said so."""
    replica = linked()
    replica.record(1, record(), 0.0)
    apply(replica)
    assert reports(replica) == [Result(1, Outcome.APPLIED, holding=AS_ASKED)]
    return replica


def test_the_newest_record_replaces_one_that_is_not_applied() -> None:
    """Conflation: a worker is only ever given the newest, and only that is answered."""
    replica = linked()
    for number in (1, 2, 3):
        replica.record(number, record(f"D{number}"), 0.0)
    assert apply(replica).record.digest == "D3"
    assert replica.take(0.0) is None and replica.quiet is False
    assert reports(replica) == [Result(3, Outcome.APPLIED, holding=AS_ASKED)]
    assert replica.quiet


def test_one_worker_per_key_and_keys_in_parallel() -> None:
    """A record that comes while its key is worked on waits for that worker, and then has its turn."""
    replica = linked()
    replica.record(1, record("D1"), 0.0)
    replica.record(2, record("D1", OTHER), 0.0)
    first, second = replica.take(0.0), replica.take(0.0)
    assert first is not None and second is not None and first.key != second.key
    replica.record(3, record("D2"), 0.0)
    assert replica.take(0.0) is None
    replica.done(first, Result(0, Outcome.APPLIED, holding=held("D1")), 0.0, retain=True)
    assert reports(replica) == []
    assert apply(replica).record.digest == "D2"
    assert reports(replica) == [Result(3, Outcome.APPLIED, holding=AS_ASKED)]


def test_results_and_holdings_leave_in_the_order_in_which_they_became_true() -> None:
    """A change seen after an answer is reported after it; a Root stands between what it counts."""
    replica = holding_app()
    replica.record(2, record("D2"), 0.0)
    apply(replica)
    replica.observe(OTHER, held("X"), 0.0)
    replica.mark()
    replica.observe(OTHER, None, 0.0)
    answer, first, root, second = reports(replica)
    assert answer == Result(2, Outcome.APPLIED, holding=AS_ASKED)
    assert (first, second) == ((OTHER, held("X")), (OTHER, None))
    assert isinstance(root, Root) and root.root != replica.root()


def test_an_answer_tells_what_is_held_now_not_what_was_written() -> None:
    """Somebody was faster than the end of our write: the answer says so, and it is put back."""
    replica = linked()
    replica.record(1, record(), 0.0)
    apply(replica, holding=DRIFTED)
    assert reports(replica) == [Result(1, Outcome.APPLIED, holding=DRIFTED)]
    work = apply(replica)
    assert work.again and work.record == record()
    assert reports(replica) == [(APP, held())]


def test_a_drift_is_put_back_without_asking() -> None:
    """The source hears nothing of it when that helps."""
    replica = holding_app()
    replica.observe(APP, DRIFTED, 1.0)
    assert apply(replica, 1.0).again
    assert reports(replica) == [] and replica.statistics(1.0).reverted == 1


def test_a_lost_copy_is_brought_back() -> None:
    """Deleting what is guarded is a drift like any other."""
    replica = holding_app()
    replica.observe(APP, None, 1.0)
    assert apply(replica, 1.0).record == record()


def test_an_intact_object_is_guarded_again_after_a_start() -> None:
    """``retain`` stands for the record that nobody remembers."""
    replica = Replica(lambda key: True)
    replica.observe(APP, held(), 0.0, retain=record)
    assert replica.take(0.0) is None
    replica.observe(APP, DRIFTED, 1.0)
    assert apply(replica, 1.0).again


def test_a_revert_that_is_refused_is_told() -> None:
    """Rejected or pending: what cannot be put back from here is the source's affair."""
    for outcome in (Outcome.REJECTED, Outcome.PENDING):
        replica = holding_app()
        replica.observe(APP, DRIFTED, 1.0)
        work = replica.take(1.0)
        assert work is not None
        replica.done(work, Result(0, outcome, "no", DRIFTED), 1.0, retain=False)
        assert reports(replica) == [(APP, DRIFTED)]


def test_a_contested_key_backs_off_and_says_so() -> None:
    """After ``MAX_REVERTS`` reverts we stop fighting for ``CONTEST_BACKOFF`` seconds, then try again."""
    replica = holding_app()
    for moment in range(MAX_REVERTS):
        replica.observe(APP, DRIFTED, float(moment))
        apply(replica, float(moment))
    assert reports(replica) == []
    replica.observe(APP, DRIFTED, 10.0)
    assert replica.take(10.0) is None and reports(replica) == [(APP, DRIFTED)]
    assert replica.statistics(10.0).contested == 1
    replica.record(2, record(), 11.0)
    assert replica.take(11.0) is None
    assert reports(replica) == [Result(2, Outcome.PENDING, f"{CONTESTED} it")]
    end = MAX_REVERTS - 1 + CONTEST_BACKOFF
    assert replica.next_deadline() == end and replica.take(end - 0.1) is None
    apply(replica, end)
    assert reports(replica) == [Result(2, Outcome.APPLIED, holding=AS_ASKED)]
    assert replica.statistics(end).contested == 0


def test_a_contest_names_what_is_fought_over() -> None:
    """What the last revert has put back: the fields, and not more of them than anybody reads."""
    replica = holding_app()
    for moment in range(MAX_REVERTS):
        replica.observe(APP, DRIFTED, float(moment))
        work = replica.take(float(moment))
        assert work is not None
        paths = tuple(f"spec.f{number}" for number in range(moment + 2))
        done = Result(0, Outcome.APPLIED, holding=held())
        replica.done(work, done, float(moment), retain=True, drifted=paths)
    replica.observe(APP, DRIFTED, 10.0)
    replica.record(2, record(), 11.0)
    (told,) = (each for each in reports(replica) if isinstance(each, Result))
    assert told.reason == f"{CONTESTED} spec.f0, spec.f1, spec.f2, spec.f3, spec.f4 and 1 more"


def test_a_contest_ends_with_its_window() -> None:
    """Reverts that lie more than ``REVERT_WINDOW`` apart are no fight."""
    replica = holding_app()
    for turn in range(3 * MAX_REVERTS):
        moment = turn * REVERT_WINDOW / (MAX_REVERTS - 1)
        replica.observe(APP, DRIFTED, moment)
        apply(replica, moment)
    assert reports(replica) == []


def test_a_new_value_ends_a_contest() -> None:
    """The user's next word is tried at once."""
    replica = holding_app()
    for _ in range(MAX_REVERTS):
        replica.observe(APP, DRIFTED, 0.0)
        apply(replica, 0.0)
    replica.observe(APP, DRIFTED, 0.0)
    replica.record(2, record("D2"), 1.0)
    assert apply(replica, 1.0).record.digest == "D2"


def test_a_tombstone_is_no_revert() -> None:
    """Nothing was applied before that somebody changed."""
    replica = linked()
    replica.observe(APP, held(), 0.0)
    replica.record(1, GONE, 0.0)
    assert not apply(replica).again
    assert replica.statistics(0.0).reverted == 0


def test_after_a_tombstone_nothing_is_guarded() -> None:
    """What is buried stays buried; what a user then puts there is only reported."""
    replica = holding_app()
    replica.record(2, GONE, 1.0)
    apply(replica, 1.0)
    assert reports(replica) == [Result(2, Outcome.APPLIED)]
    replica.observe(APP, None, 1.0)
    assert replica.take(1.0) is None and replica._slots == {}


def test_pending_is_told_once_per_reason_and_retried() -> None:
    """The replica goes on by itself, with growing pauses, and answers when it is done."""
    replica = linked()
    replica.record(1, record(), 0.0)
    now, pauses = 0.0, []
    for reason in ("a", "a", "b"):
        work = replica.take(now)
        assert work is not None
        replica.done(work, Result(0, Outcome.PENDING, reason), now, retain=False)
        due = replica.next_deadline()
        assert due is not None and replica.take(due - 0.01) is None
        pauses.append(due - now)
        now = due
    assert reports(replica) == [Result(1, Outcome.PENDING, "a"), Result(1, Outcome.PENDING, "b")]
    assert pauses == [RETRY_FIRST, 2 * RETRY_FIRST, 4 * RETRY_FIRST]
    assert replica.waiting() == [APP] and replica.wanted_since(APP) == 0.0
    apply(replica, now)
    assert reports(replica) == [Result(1, Outcome.APPLIED, holding=AS_ASKED)]
    assert replica.wanted_since(APP) is None


def test_retries_wait_as_long_as_the_server_asks_and_never_too_long() -> None:
    """``after`` is the server's word; else the pause grows to ``RETRY_MAX`` and no further."""
    replica = linked()
    replica.record(1, record(), 0.0)
    work = replica.take(0.0)
    assert work is not None
    replica.retry(work, 0.0, after=7.0)
    assert replica.next_deadline() == 7.0
    now = 7.0
    for _ in range(12):
        work = replica.take(now)
        assert work is not None
        replica.retry(work, now)
        due = replica.next_deadline()
        assert due is not None and due - now <= RETRY_MAX
        pause, now = due - now, due
    assert pause == RETRY_MAX and reports(replica) == []


def test_what_a_record_waits_for_may_happen() -> None:
    """A change of its object, or a touch, ends the pause at once; the same state seen again does not."""
    replica = linked()
    replica.observe(APP, held("old"), 0.0)
    for touches in (False, True):
        replica.record(1, record(), 0.0)
        work = replica.take(0.1)
        assert work is not None
        replica.done(work, Result(0, Outcome.PENDING, "terminating", held("old")), 0.1, retain=False)
        replica.observe(APP, held("old"), 0.1)
        assert replica.take(0.1) is None
        if touches:
            replica.touch(APP, 0.1)
        else:
            replica.observe(APP, None, 0.1)
        assert replica.take(0.1) == work
        replica.retry(work, 0.1)


def test_a_rejection_is_answered_and_what_was_guarded_stays_guarded() -> None:
    """An invalid new value leaves the old one in force."""
    replica = holding_app()
    replica.record(2, record("D2"), 1.0)
    work = replica.take(1.0)
    assert work is not None
    replica.done(work, Result(0, Outcome.REJECTED, "invalid", held()), 1.0, retain=False)
    assert reports(replica) == [Result(2, Outcome.REJECTED, "invalid", held())]
    replica.observe(APP, DRIFTED, 2.0)
    assert apply(replica, 2.0).record == record("D1")


def test_a_record_outlives_its_link_but_its_answer_does_not() -> None:
    """A cut loses nobody's work; on the next link what changed since its root is told."""
    replica = linked()
    replica.record(1, record(), 0.0)
    work = replica.take(0.0)
    replica.link_down()
    empty = replica.link_up()
    assert work is not None
    replica.done(work, Result(0, Outcome.APPLIED, holding=held()), 0.0, retain=True)
    assert reports(replica) == [(APP, held())]
    assert replica.root() != empty


def test_offline_nothing_is_kept_to_be_said() -> None:
    """The next link begins with a root, which tells it all."""
    replica = holding_app()
    replica.link_down()
    replica.observe(OTHER, held(), 1.0)
    assert not replica.has_reports
    replica.link_up()
    assert reports(replica) == []


def test_v12_changes_are_told_against_this_links_root() -> None:
    """A drift in the root that is put back afterwards is a change, whatever an earlier link was told."""
    replica = holding_app()
    replica.link_down()
    replica.observe(APP, DRIFTED, 1.0)
    replica.link_up()
    apply(replica, 2.0)
    assert reports(replica) == [(APP, held())]


def test_a_listing_holds_the_differing_buckets_only() -> None:
    """And what it lists counts as told: going back from it is a change."""
    replica = holding_app()
    replica.observe(OTHER, held("X"), 0.0)
    reports(replica)
    theirs = Replica(lambda key: True)
    theirs.observe(OTHER, held("X"), 0.0)
    replica.observe(APP, DRIFTED, 0.0)
    replica.compare(theirs._held.hashes())
    (listing,) = reports(replica)
    assert isinstance(listing, Listing)
    assert listing.entries == ((APP, DRIFTED),) and len(listing.indices) == 1
    apply(replica)
    assert reports(replica) == [(APP, held())]


def test_a_mark_waits_while_a_drift_is_not_told() -> None:
    """It would look like a disagreement."""
    replica = holding_app()
    replica.observe(APP, DRIFTED, 1.0)
    replica.mark()
    assert reports(replica) == []
    apply(replica, 1.0)
    replica.mark()
    assert reports(replica) == [Root(replica.root())]


def test_an_intent_leaves_nothing_behind() -> None:
    """It is answered, never listed, never in the root."""
    replica = linked()
    empty = replica.root()
    replica.record(1, record("i1", INTENT), 0.0)
    work = replica.take(0.0)
    assert work is not None
    replica.done(work, Result(0, Outcome.APPLIED, asof="17"), 0.0, retain=False)
    assert reports(replica) == [Result(1, Outcome.APPLIED, asof="17")]
    assert replica.root() == empty and replica._slots == {}


def test_reports_are_taken_in_portions() -> None:
    """The writer takes as many as it has room for."""
    replica = linked()
    for number in range(5):
        replica.observe(Key(Kind.APPLICATION, "argocd", f"app-{number}"), held(), 0.0)
    assert len(list(replica.reports(3))) == 3 and replica.has_reports
    assert len(list(replica.reports(3))) == 2 and not replica.has_reports


def test_statistics_count() -> None:
    """What is held, worked on, waiting, applied and rejected."""
    replica = holding_app()
    replica.record(2, record("D1", OTHER), 0.0)
    replica.take(0.0)
    counted = replica.statistics(0.0)
    assert (counted.held, counted.working, counted.waiting) == (1, 1, 1)
    assert (counted.applied, counted.rejected, counted.reverted) == (1, 0, 0)


def test_what_waits_is_known_by_kind() -> None:
    """In the order in which it came, until it is applied or forgotten."""
    replica = linked()
    for number, key in enumerate((OTHER, INTENT, APP)):
        replica.record(number, record(key=key), 0.0)
    replica.record(3, record("D2", OTHER), 0.0)
    assert replica.waiting() == [OTHER, APP, INTENT]
    assert replica.waiting(Kind.INTENT) == [INTENT] and replica.waiting(Kind.REPOSITORY) == []
    apply(replica)
    assert not replica.quiet and not replica.waiting(Kind.INTENT)
    assert replica.waiting(Kind.APPLICATION, Kind.REPOSITORY) == [OTHER, APP]
    reports(replica)
    replica.link_up()
    assert replica.quiet and replica.waiting() == []
    replica.record(4, record(), 1.0)
    replica.stand_down()
    assert replica.quiet and replica.waiting() == []


def test_a_key_that_keeps_changing_has_waited_since_its_first_record() -> None:
    """Else an Application that is edited all the time would wait for its project for ever."""
    replica = linked()
    replica.record(1, record("D1"), 0.0)
    replica.record(2, record("D2"), 9.0)
    assert replica.wanted_since(APP) == 0.0
    apply(replica, 9.0, held("D2"))
    replica.record(3, record("D3"), 20.0)
    assert replica.wanted_since(APP) == 20.0


def test_a_replaced_process_guards_nothing_until_it_is_linked_again() -> None:
    """Its successor may have been told to delete what it remembers: to put it back would undo that."""
    replica = holding_app()
    replica.stand_down()
    replica.observe(APP, None, 1.0)
    assert replica.take(1.0) is None
    replica.link_up()
    replica.observe(APP, held(), 2.0, retain=record)
    replica.observe(APP, DRIFTED, 3.0)
    work = replica.take(3.0)
    assert work is not None and work.guard


def test_what_a_successor_has_applied_is_guarded_instead() -> None:
    """An intact copy of a later value was put there by another process of ours: it is no drift."""
    replica = linked()
    first = Record(APP, "u1", "D1", "5", b"{}")
    replica.record(1, first, 0.0)
    apply(replica)
    later = Record(APP, "u1", "D2", "9", b"{}")
    replica.observe(APP, held("D2"), 1.0, retain=lambda: later)
    assert replica.take(1.0) is None
    replica.observe(APP, DRIFTED, 2.0, retain=lambda: None)
    work = replica.take(2.0)
    assert work is not None and work.record == later


def test_what_an_older_value_has_made_is_put_back() -> None:
    """A late write of a dead process is a drift, however intact it looks."""
    replica = linked()
    replica.record(1, Record(APP, "u1", "D2", "9", b"{}"), 0.0)
    apply(replica)
    older = Record(APP, "u1", "D1", "5", b"{}")
    replica.observe(APP, held("D1"), 1.0, retain=lambda: older)
    work = replica.take(1.0)
    assert work is not None and work.record.digest == "D2"


def test_a_new_link_brings_back_nothing_that_is_gone() -> None:
    """A copy that was to be put back, or gave way to another uid, is the source's to send again."""
    replica = holding_app()
    replica.observe(APP, None, 1.0)
    replica.link_up()
    assert replica.take(2.0) is None
    assert not replica.waiting()
    replica.record(9, record(), 3.0)
    assert apply(replica, 4.0).record == record()
