"""Bugs that somebody could write tomorrow: each breaks the product in one place."""

from __future__ import annotations

from typing import Final

from .mutant import Mutant, mutant
from .rewriting import Constant, Rewrite

BUGS: Final[tuple[Mutant, ...]] = (
    # Comparing
    mutant(
        "tombstone-of-any-uid",
        "a tombstone removes whatever has the name",
        Rewrite("sync.plan:_bury", "live.annotations.get(names.SOURCE_UID) != uid", "False"),
    ),
    mutant(
        "dirty-mark-lost-on-cut",
        "what was in flight when a link ended is not dirty again",
        Rewrite(
            "sync.source:Source.link_down",
            "entry.ticket, entry.pending, entry.answered = None, False, None",
            "entry.pending, entry.answered = False, None",
            also=(("self._tickets.clear()", "None"), ("self._forsaken += len(self._tickets)", "pass")),
        ),
    ),
    mutant(
        "roots-are-always-equal",
        "a new link takes it for granted that the replica holds everything",
        Rewrite("sync.source:Source._compare", "root == self._wanted.root()", "True"),
    ),
    mutant(
        "orphans-are-not-told",
        "a listing leaves out what the source does not claim",
        Rewrite("sync.source:Source._learn", "(*self._claimed, *self._told)", "(*self._claimed,)"),
    ),
    mutant(
        "listing-without-the-last-bucket",
        "the last bucket that differs is not listed",
        Rewrite(
            "sync.replica:Replica.compare",
            "self._held.differing(theirs)",
            "self._held.differing(theirs)[:-1]",
        ),
    ),
    mutant(
        "buckets-are-not-renewed",
        "a bucket's hash stays what it was at first",
        Rewrite(
            "sync.buckets:Buckets.set",
            "self._stale[index] = None",
            "any(self._hashes[index * HASH_BYTES :][:HASH_BYTES]) or self._stale.update({index: None})",
        ),
    ),
    mutant(
        "reports-in-reverse",
        "results and holdings leave in reverse order",
        Rewrite("sync.replica:Replica.reports", "self._reports.popleft()", "self._reports.pop()"),
    ),
    mutant(
        "results-of-an-older-link",
        "what was asked for on one link is answered on the next, whatever has its number there",
        Rewrite(
            "sync.replica:Replica.link_down",
            'slot.number, slot.told_pending = None, ""',
            'slot.told_pending = ""',
        ),
        Rewrite(
            "sync.replica:Replica.link_up",
            "slot.told, slot.record = slot.held, None",
            "slot.told = slot.held",
        ),
    ),
    mutant(
        "restamped-for-ever",
        "a recreated object keeps the copy of its predecessor",
        Rewrite(
            "sync.plan:_is_foreign",
            "theirs == record.replaces or any(now[field] != body[field] for field in now)",
            "False",
        ),
    ),
    # Sending
    mutant(
        "no-superseding",
        "a newer value never follows one that is not answered",
        Rewrite("sync.source:Source._verdict", "ticket.want == want and not entry.forced", "True"),
    ),
    mutant(
        "a-refusal-is-for-ever",
        "a record that was refused once is not sent again, whatever it says",
        Rewrite(
            "sync.source:Source._is_refused",
            "refused is None or refused.want != entry.want",
            "refused is None",
        ),
    ),
    mutant(
        "priorities-inverted",
        "time stamps travel before requests",
        Rewrite("sync.source:Source.take", "self._ready.items()", "reversed(self._ready.items())"),
    ),
    mutant(
        "a-change-costs-the-place",
        "a key that changes while it waits goes to the end of the queue",
        Rewrite(
            "sync.source:Source._touch",
            "verdict is None or verdict[1] > now or verdict[0] != entry.queued",
            "True",
        ),
    ),
    mutant(
        "urgent-is-cosmetic",
        "time stamps wait their minute even while somebody waits for them",
        Rewrite(
            "sync.wants:status",
            '"" if urgent else digest.stored(projection.substance(members))',
            "digest.stored(projection.substance(members))",
        ),
    ),
    mutant(
        "cosmetic-is-urgent",
        "mere time stamps travel at once",
        Constant("sync.source:COSMETIC_INTERVAL", 0.0),
    ),
    # Applying
    mutant(
        "unknown-is-done",
        "a write whose answer was lost counts as done",
        Rewrite(
            "replication.executor:Executor.bring_about",
            "outcome = _judge(exc, live, now)",
            "outcome = Outcome.APPLIED if isinstance(exc, errors.OutcomeUnknown) else _judge(exc, live, now)",
        ),
    ),
    mutant(
        "conflict-is-rejection",
        "a lost race is reported as the API server's refusal",
        Rewrite(
            "replication.executor:_judge",
            "isinstance(cause, _LOST_RACE)",
            "False",
            also=(("isinstance(cause, errors.OutcomeUnknown) or versions[0] != versions[1]", "False"),),
        ),
    ),
    mutant(
        "forbidden-is-rejection",
        "missing rights are taken for a refusal of the object",
        Rewrite(
            "replication.executor:Executor.bring_about",
            "steps.pending(self._words(exc))",
            "steps.Done(Outcome.REJECTED, self._words(exc))",
        ),
    ),
    mutant(
        "unserved-is-gone",
        "where the resource is not served, every object is taken for gone",
        Rewrite("replication.executor:Executor._read", 'not exc.details.get("name")', "False"),
    ),
    mutant(
        "labels-only-grow",
        "what the source no longer has stays on the copy",
        Rewrite(
            "sync.plan:_replacing", "{key: None for key in now if key not in sent} | dict(sent)", "dict(sent)"
        ),
    ),
    mutant(
        "annotations-are-replaced",
        "the spoke's own annotations go with each write",
        Rewrite(
            "sync.names:is_projected",
            "annotation not in _NEVER_PROJECTED and not annotation.startswith(OWN_PREFIX)",
            "annotation not in (SOURCE_UID, PRINCIPAL_UID) and not annotation.startswith(OWN_PREFIX)",
        ),
    ),
    mutant(
        "foreign-finalizers-go",
        "finalizers that are not Argo CD's are removed from a copy",
        Rewrite("sync.plan:_changes", 'kept + sent["finalizers"]', 'sent["finalizers"]'),
    ),
    mutant(
        "deleting-answered-too-early",
        "a cascade is answered while the copy still stands",
        Rewrite("sync.plan:_cascade", "_leave(place, live)", "steps.APPLIED"),
    ),
    mutant(
        "cascade-of-any-uid",
        "a cascade deletes whatever has the name",
        Rewrite(
            "sync.plan:_cascade",
            "live is None or live.annotations.get(names.SOURCE_UID) != record.uid",
            "live is None",
        ),
    ),
    mutant(
        "written-while-deleting",
        "a copy that is on its way out is written as if it stayed",
        Rewrite("sync.plan:plan", "live.deleting", "False"),
    ),
    mutant(
        "strip-before-answer",
        "the principal lets a hub object go before the spoke has answered",
        Rewrite("principal.keeper:Keeper._next_step", "self._carried_out(obj)", "True"),
    ),
    mutant(
        "mirrors-are-let-go",
        "the principal lets a mirror go as if the hub owned it, and forgets it",
        Rewrite("principal.peer:Peer._carried_out", "self.mapping.autonomous", "False"),
        Rewrite("replication.copies:retained", "obj is None or obj.deleting", "True"),
        Rewrite("sync.replica:Replica._finish", "work.record if retain and self._guards else None", "None"),
    ),
    mutant(
        "mirrors-keep-finalizers",
        "Argo CD's finalizers stay on a mirror that was deleted",
        Rewrite(
            "sync.plan:_leave",
            "place.mirror and any(names.is_argo_finalizer(name) for name in live.finalizers)",
            "False",
        ),
        Rewrite("principal.peer:Peer._carried_out", "self.mapping.autonomous", "False"),
    ),
    mutant(
        "mirrors-over-hub-objects",
        "a mirror is written over an object of the hub",
        Rewrite("sync.plan:refusal", "live is None", "True"),
    ),
    # Guarding
    mutant(
        "drift-stays-offline",
        "what drifts is reported, and not put back",
        Rewrite("sync.replica:Replica.take", "slot.retained if slot.drifted else None", "None"),
    ),
    mutant(
        "nothing-is-guarded-after-a-start",
        "an intact copy is not guarded by a process that did not make it",
        Rewrite("replication.copies:retained", "obj is None or obj.deleting", "True"),
    ),
    mutant(
        "no-contest",
        "a key that is reverted again and again is fought over for ever",
        Constant("sync.replica:MAX_REVERTS", 10**9),
    ),
    mutant(
        "contested-for-ever",
        "a contest never ends",
        Rewrite(
            "sync.replica:Replica._contested", "slot.contested_until <= now", "slot.contested_until == 0.0"
        ),
        Constant("sync.replica:CONTEST_BACKOFF", 1e9),
    ),
    mutant(
        "withdrawn-is-guarded",
        "a record is put back after it was withdrawn",
        Rewrite(
            "sync.replica:Replica._finish",
            "work.record if retain and self._guards else None",
            "work.record if retain and self._guards else slot.retained",
        ),
    ),
    # Intents
    mutant(
        "intents-of-another-uid",
        "an intent is carried out on whatever has the name",
        Rewrite("replication.intents:_IntentPlan.step", "self.uid_of(live) != self.uid", "False"),
    ),
    mutant(
        "requests-are-not-stamped",
        "a request is left as it is",
        Rewrite(
            "sync.intents:stamp",
            "hub.deleting or operations.classify(operation).origin is not Origin.REQUEST",
            "True",
        ),
    ),
    mutant(
        "requests-are-mirrored-over",
        "a request that is not stamped yet is cleared by a status",
        Rewrite("sync.overlay:merge", "entry.origin is Origin.REQUEST", "False"),
    ),
    mutant(
        "old-state-answers",
        "the state of an earlier operation is shown while a request waits",
        Rewrite(
            "sync.overlay:_keep_answers",
            "waits and shown and on_hub is None and state and not operations.is_unfinished(state)",
            "False",
        ),
    ),
    mutant(
        "terminating-is-overwritten",
        "a terminate is cleared by the next status",
        Rewrite("sync.overlay:_keep_answers", 'aimed and state and state.get("phase") == "Running"', "False"),
    ),
    mutant(
        "refresh-stays",
        "a refresh that was answered stays on the hub",
        Rewrite("sync.overlay:plan", "merged.clears", "()"),
    ),
    mutant(
        "refresh-is-done-again",
        "a refresh is carried out each time that it is sent",
        Rewrite(
            "replication.intents:Intents.bring_about",
            "verb in intents.REQUESTS and known == body['id']",
            "False",
        ),
    ),
    mutant(
        "no-status-after-an-intent",
        "the status is not sent once more when an intent has been carried out",
        Rewrite("replication.intents:Intents.bring_about", "self._answered(work.key)", "None"),
    ),
    # Seeing
    mutant(
        "unseen-is-witnessed",
        "what a list lacks counts as seen to go",
        Rewrite(
            "kube.protocol.cache:Cache.apply_list",
            "Change(self._objects.pop(name), None, witnessed=False)",
            "Change(self._objects.pop(name), None)",
        ),
        Rewrite(
            "kube.protocol.cache:_replacement", "Change(old, None, witnessed=False)", "Change(old, None)"
        ),
    ),
    mutant(
        "silence-is-trusted",
        "a watch that shows nothing any more is never given up",
        Constant("kube.reflector:SILENCE", 1e9),
    ),
    mutant(
        "own-deletions-are-not-known",
        "what we deleted is taken for standing until the watch tells",
        Rewrite("replication.known:Known.gone", "self._own[namespace, name] = _Gone(uid, version)", "pass"),
    ),
    mutant(
        "statuses-are-unknown-after-a-start",
        "a principal that starts does not know which statuses its objects show",
        Rewrite(
            "sync.overlay:holding",
            "held if mapping.status_up(told) == shown else DRIFT",
            "DRIFT",
        ),
    ),
    mutant(
        "witnesses-forget",
        "which deletion was witnessed last is forgotten",
        Rewrite("sync.source:Source.absent", "entry.gone = witnessed", "pass"),
    ),
    # Linking
    mutant(
        "no-keepalive",
        "a silent link is never given up",
        Rewrite("replication.session:Session._keep_alive", "silent >= 2 * self._keepalive", "False"),
    ),
    mutant(
        "deleting-projects-are-forgotten",
        "a hub's AppProject is let go while Applications still need it",
        Rewrite(
            "principal.peer:Peer._carried_out",
            "kind is Kind.APP_PROJECT and self._hub.uses(obj.meta.name)",
            "False",
        ),
    ),
    # Agents
    mutant(
        "removed-agents-stay",
        "an agent whose cluster secret has gone is served on",
        Rewrite("principal.agents:Agents._do", "deed.effect is Effect.FORGET", "False"),
    ),
    mutant(
        "pins-are-not-compared",
        "whoever has the certificate is let in, as whom it was known",
        Rewrite("principal.registry:Registry.judge", "pin == known", "True"),
    ),
    mutant(
        "pins-are-forgotten",
        "the first that comes after a start of the principal is taken",
        Rewrite("principal.clusters:read_entry", "read_pin(text) if text else None", "None"),
    ),
    mutant(
        "a-pin-is-not-waited-for",
        "an agent is welcomed whether it could be pinned or not",
        Rewrite(
            "principal.registry:Registry.judge",
            "known is None",
            "known is None and agent.followed is None",
            also=(("pin == known", "known is None or pin == known"),),
        ),
    ),
    mutant(
        "every-rival-wins",
        "two processes of one agent change places as often as they dial",
        Rewrite("principal.door:Door._claim", "rivalry.is_contested(now)", "False"),
    ),
    mutant(
        "replaced-processes-dial-at-once",
        "a process that was replaced does not wait",
        Constant("agent.uplink:REPLACED_WAIT", 0.0),
        Constant("principal.rivals:WINDOW", 5.0),
    ),
    mutant(
        "dead-rivals-stay",
        "a place is kept for a process that does not answer any more",
        Rewrite("principal.door:Door._claim", "await seat.lives()", "True"),
    ),
)
