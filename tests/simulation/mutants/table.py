"""Which situation shows which mutant: a race, or a profile and a seed.

A race is a situation that is made on purpose; it survives most changes of what is drawn. ``race@3`` is the
race under another schedule than the first one. Where a row no longer shows its mutant,
``python -m tests.simulation.mutants.hunt`` finds another one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

from .asking import ASKING
from .bugs import BUGS
from .carrying import CARRYING
from .crowding import CROWDING
from .deleting import DELETING
from .expiring import EXPIRING
from .guarding import GUARDING
from .holding import HOLDING
from .hydrating import HYDRATING
from .judging import Case, Drawn, Race, Staged
from .linking import LINKING
from .mapping import MAPPING
from .moving import MOVING
from .mutant import Mutant
from .policing import POLICING
from .pressing import PRESSING
from .registering import REGISTERING
from .rules import RULES
from .scoping import SCOPING

MUTANTS: Final[Mapping[str, Mutant]] = {each.name: each for each in (*RULES, *BUGS)}
RACES: Final[Mapping[str, Race | Staged]] = {
    race.name: race
    for races in (
        *(ASKING, DELETING, EXPIRING, GUARDING, HOLDING, LINKING),
        *(POLICING, PRESSING, REGISTERING, SCOPING, MAPPING, CROWDING, CARRYING, HYDRATING, MOVING),
    )
    for race in races
}

SHOWN_BY: Final[Mapping[str, str | Drawn]] = {
    # Rules
    "V1-status-write-without-version": "replaced-while-it-ends",
    "V2-applied-answers-an-intent": "applied-before-an-older-status",
    "V3-mirror-keeps-the-id": "copy-stolen-while-running",
    "V4-entry-without-digest": "another-request-around-our-entry",
    "V5-refresh-writes-the-intent": "answer-lost",
    "V6-terminate-without-aim": "terminate-after-its-end",
    "terminate-whatever-its-phase": "terminated-too-late",
    "no-terminate-of-a-deleting-application": "terminate-what-is-leaving",
    "V7-busy-for-ever": "abandoned",
    "V8-rejection-without-answer": "rejected",
    "V8-rejection-not-kept": "rejected",
    "expiry-waits-for-the-agent": "expired-while-away",
    "expiry-is-the-hubs-alone": "expired-behind-another",
    "expiry-starts-anew-with-each-try": "expired-behind-another",
    "expiry-hides-what-ran": "expired-unheard",
    "any-refresh-is-urgent": "five-webhooks",
    "time-stamps-without-budget": "refreshed-amid-a-webhook",
    "V14-any-status-answers-a-refresh": "refreshed-twice",
    "V14-refresh-answered-in-two-writes": "refreshed-unanswered",
    "V14-refresh-that-changes-nothing": "refreshed-unseen",
    "V14-refresh-without-identity": "refreshed-twice",
    "V15-no-empty-status": "never-reconciled",
    "busy-spoke": "started-once-each",
    "start-without-version": "started-once-each",
    "start-leaves-the-old-state": "abandoned",
    "start-without-id": "answer-lost",
    "stamp-without-test": "replaced-while-stamped",
    "one-intent-at-a-time": "terminate-behind-a-sync",
    "intents-outlive-their-link": "created-after-its-deletion",
    "withdrawn-intents-stay": "withdrawn",
    "lost-start-is-not-repeated": "copy-lost-with-its-memory",
    "stripped-entry-is-a-new-request": "entry-stripped",
    "sync-of-a-deleting-application": "deleting-meanwhile",
    "credentials-for-everybody": "credentials-moved",
    "credentials-of-no-project": "credentials-of-nobody",
    "credentials-do-not-follow": "credentials-moved",
    "denial-is-inferred": "credentials-denied-unseen",
    "orphans-are-withdrawn-at-once": "projects-lost",
    "unselected-is-absent": "type-taken-off",
    "secrets-of-the-spoke-are-taken": "secret-of-the-spoke",
    "V9-cascade-with-its-own-finalizers": "cascade-unseen",
    "V10-burial-without-version": "family-revived",
    "V11-not-held-is-carried-out": "deleted-while-created",
    "V11-strip-the-family-only": "with-hooks",
    "tombstone-cascades": "finalizer-taken-off",
    "project-does-not-wait": "project-and-application",
    "application-does-not-wait": "waiting-for-its-project",
    "wait-begins-anew": "overwritten-while-waiting",
    "no-refresh-when-the-project-comes": "waiting-for-its-project",
    "deleting-without-family-is-present": "project-with-finalizer",
    "absence-from-an-incomplete-view": "slow-start",
    "nothing-is-held": "emptied-unseen",
    "witnesses-are-not-believed": "emptied-by-its-user",
    "a-start-brings-a-budget": "one-of-the-first-minutes",
    "witness-is-not-told": "recreated",
    "recreate-whatever-was-seen": "recreated",
    "V12-have-against-the-last-link": "put-back-over-a-link",
    "V13-any-difference-is-normalisation": "label-in-between",
    "AP-is-not-checked": "drift",
    "writes-without-preconditions": "late-write",
    "finalizers-without-version": "finalizer-in-between",
    "no-normalisation": "rewritten-by-argocd",
    "D-covers-our-entry": "asked-as-shown",
    "aside-is-not-sent": "operation-alone",
    "own-writes-are-not-read": "few-calls",
    "ack-on-receipt": "late-write",
    "ack-of-what-was-not-applied": "deleted-behind-an-edit",
    "changes-are-queued": "slow-link",
    "holdings-are-not-told": "deleting-meanwhile",
    "older-records-win": "two-at-work",
    "no-standing-down": "deleted-by-the-successor",
    "a-relist-only-adds": "deleted-unseen",
    "a-cache-goes-back": "stale-lists@6",
    "no-look-after-a-list": "gone-before-the-watch-told",
    "no-continuous-check": "deleting-meanwhile",
    "two-links-of-one-agent": "rolling-update",
    "never-is-always": "not-adopted",
    "projects-are-recreated": "project-made-anew",
    "moves-are-recreations": "another-principal",
    "upsert-recreates": "upserted",
    "local-keys-are-reverted": "notes",
    "what-is-guarded-is-not-buried": "withdrawn-while-contested",
    "unreadable-is-absent": "too-deep",
    "refused-for-good": "older-definition",
    "unfinished-state-comes-back": "deleted-while-it-runs",
    "intent-is-lost-with-its-copy": "deleted-when-it-has-ended",
    "destinations-are-not-asked": "moved",
    "moves-are-not-seen-to-happen": "all-move",
    "shadowed-is-mapped": "shadowed",
    "shadowed-is-not-told": "shadowed",
    "forbidden-namespaces-are-written": "forbidden-namespace",
    "another-selector-is-a-witness": "another-selector",
    "another-selector-of-a-spoke-is-a-witness": "another-selector-of-a-spoke",
    "a-label-taken-off-is-not-seen": "labels-taken-off",
    "the-ignored-lose-their-finalizers": "deleted-while-ignored",
    "the-unselected-lose-their-finalizers": "deleted-unselected",
    "applications-before-their-credentials": "credentials-come-slowly",
    "applications-sit-out-their-wait": "credentials-rotated",
    "credentials-before-their-application": "pruned-with-credentials",
    "credentials-stay-with-a-stuck-application": "stuck-with-credentials",
    "any-number-of-objects": "crowded",
    "objects-under-way-are-not-counted": "crowded",
    "a-full-hub-keeps-what-it-refuses": "nothing-is-kept",
    "a-claim-is-for-ever": "crowded",
    "what-was-not-whole-is-a-base": "left-in-the-middle",
    "what-cannot-be-read-is-not-answered": "forgetful",
    "what-cannot-be-read-refers-again": "forgetful",
    "any-base-will-do": "forgetful",
    "unreadable-is-answered": "unreadable",
    "secrets-refer-to-secrets": "secrets",
    "large-ones-first": "large-beside-small",
    "the-newest-or-nothing": "never-at-rest",
    "to-the-end-whatever-comes": "left-in-the-middle",
    "parts-are-mixed": "two-large-ones",
    "hydrations-are-not-asked-for": "hydrated",
    "any-application-hydrates": "hydrated-without-a-hydrator",
    "a-pending-hydration-is-not-told": "hydrated-amid-a-hydration",
    "left-while-something-is-under-way": "left-amid-a-write",
    "goodbye-before-the-next-link": "drained",
    "healthy-links-are-failures": "lost-again-and-again",
    # Bugs
    "tombstone-of-any-uid": "late-tombstone",
    "dirty-mark-lost-on-cut": "answer-lost",
    "roots-are-always-equal": "drift",
    "orphans-are-not-told": "deleted-while-down",
    "listing-without-the-last-bucket": "drift",
    "buckets-are-not-renewed": "drift",
    "reports-in-reverse": "told-amid-a-check",
    "results-of-an-older-link": "numbers-begin-anew",
    "restamped-for-ever": "recreated",
    "no-superseding": "overwritten-while-waiting",
    "a-refusal-is-for-ever": "refused-body",
    "priorities-inverted": "slow-link",
    "a-change-costs-the-place": "slow-link",
    "urgent-is-cosmetic": "time-stamps",
    "cosmetic-is-urgent": "time-stamps",
    "unknown-is-done": "answers-lost",
    "conflict-is-rejection": "conflicts",
    "forbidden-is-rejection": "forbidden",
    "unserved-is-gone": "deleted-while-unserved",
    "labels-only-grow": "labels-go",
    "annotations-are-replaced": "labels-go",
    "foreign-finalizers-go": "finalizer-in-between",
    "deleting-answered-too-early": "slow-cascade",
    "cascade-of-any-uid": "cascade-meets-another",
    "written-while-deleting": "stays-while-deleting",
    "strip-before-answer": "slow-cascade",
    "mirrors-are-let-go": "mirror-deleted",
    "mirrors-keep-finalizers": "mirror-deleted",
    "mirrors-over-hub-objects": "name-taken",
    "drift-stays-offline": "drift",
    "nothing-is-guarded-after-a-start": "drift",
    "no-contest": "contested",
    "contested-for-ever": "contested",
    "withdrawn-is-guarded": "not-ours-alone",
    "intents-of-another-uid": "two-of-one-name",
    "requests-are-not-stamped": "answers-lost",
    "requests-are-mirrored-over": "asked-while-away",
    "old-state-answers": "asked-of-a-slow-spoke",
    "terminating-is-overwritten": "terminated-while-cut",
    "refresh-stays": "refreshed-once",
    "refresh-is-done-again": "refreshed-once",
    "no-status-after-an-intent": "put-back-after-its-answer",
    "unseen-is-witnessed": "recreated-unseen",
    "silence-is-trusted": "silent-watch",
    "own-deletions-are-not-known": "few-calls",
    "statuses-are-unknown-after-a-start": "restarts",
    "witnesses-forget": "recreated",
    "no-keepalive": "half-open",
    "deleting-projects-are-forgotten": "project-of-the-hub",
    "removed-agents-stay": "removed-agent",
    "pins-are-not-compared": "another-mode",
    "pins-are-forgotten": "another-mode",
    "a-pin-is-not-waited-for": "pinned-anew",
    "every-rival-wins": "rivals",
    "replaced-processes-dial-at-once": "rivals",
    "dead-rivals-stay": "crash-loop",
}


def case_of(shown: str | Drawn) -> Case:
    """What an entry of the table stands for."""
    if isinstance(shown, Drawn):
        return shown
    name, _, seed = shown.partition("@")
    race = RACES[name]
    return race if isinstance(race, Staged) else attrs.evolve(race, seed=int(seed or 1))


def races_used() -> set[str]:
    """The names of the races that show something."""
    return {shown.partition("@")[0] for shown in SHOWN_BY.values() if isinstance(shown, str)}
