"""Every rule of the protocol, switched off alone.

Names that begin with V are those of the executable model in which the rules were found. A rule that no
situation needs would have to go.

Two rules have a second line behind them, and both are switched off at once. Absence from a view that is not
complete is no evidence, and a principal serves nobody before its view is complete: either alone is enough.
Holdings are told as they change, and a root once in a while would find what was not told.
"""

from __future__ import annotations

from typing import Final

from .carrying import CARRIED
from .crowding import CROWDED
from .hydrating import HYDRATED
from .mapping import MAPPED
from .moving import MOVED
from .mutant import Mutant, mutant
from .policing import POLICED
from .rewriting import Constant, Rewrite

_APPLIED_IS_ENOUGH: Final = """(
    body | {"intent": "*"}
    if (body := read_status(work.record)) is not None
    and self._requested_at(work.key.of(Kind.INTENT, Verb.SYNC))
    else body
)"""

RULES: Final[tuple[Mutant, ...]] = (
    # Requests and their answers
    mutant(
        "V1-status-write-without-version",
        "a status write does not carry the resourceVersion that it was computed from",
        Rewrite(
            "sync.overlay:plan",
            "steps.at_version(live)",
            'steps.op_test("/metadata/uid", live.meta.uid)',
        ),
    ),
    mutant(
        "V2-applied-answers-an-intent",
        "an intent counts as answered once it is applied, not by a body with its id",
        Rewrite("replication.statuses:Statuses.bring_about", "read_status(work.record)", _APPLIED_IS_ENOUGH),
        Rewrite("sync.overlay:merge", 'entry.id != body["intent"]', 'body["intent"] not in ("*", entry.id)'),
    ),
    mutant(
        "V3-mirror-keeps-the-id",
        "a mirrored operation keeps the id of the intent that started it",
        Rewrite(
            "sync.operations:mirrored",
            "_stamped(operation, _MIRROR)",
            "_stamped(operation, classify(operation).id or _MIRROR)",
        ),
    ),
    mutant(
        "V4-entry-without-digest",
        "our entry counts although the operation around it is another one",
        Rewrite("sync.operations:_words", "told == digest.stored(_bare(operation))", "True"),
    ),
    mutant(
        "V5-refresh-writes-the-intent",
        "a refresh, too, writes the annotation that remembers the last sync",
        Rewrite(
            "sync.intents:_request", "{annotation: value}", '{annotation: value, names.INTENT: "r"}'
        ),
    ),
    mutant(
        "V6-terminate-without-aim",
        "a terminate ends whatever runs",
        Rewrite(
            "sync.intents:_terminate",
            'state.get("startedAt") != started',
            "False",
            also=(
                ('steps.op_test(root + "startedAt", started)', 'steps.op_test(root + "phase", "Running")'),
            ),
        ),
    ),
    mutant(
        "terminate-whatever-its-phase",
        "a terminate is written over an operation that has ended meanwhile",
        Rewrite(
            "sync.intents:_terminate",
            'steps.op_test(root + "phase", "Running")',
            'steps.op_test(root + "startedAt", started)',
        ),
    ),
    mutant(
        "no-terminate-of-a-deleting-application",
        "a terminate of an Application that is on its way out is not sent",
        Rewrite(
            "sync.intents:asked",
            'state.get("phase") == "Terminating"',
            'state.get("phase") == "Terminating" and not hub.deleting',
        ),
    ),
    mutant(
        "V7-busy-for-ever",
        "an unfinished state without an operation never counts as abandoned",
        Rewrite("replication.intents:Intents._stuck", "now >= since + intents.STUCK_AFTER", "False"),
    ),
    mutant(
        "V8-rejection-without-answer",
        "a rejected sync is cleared, and nothing tells that it was",
        Rewrite("sync.intents:answer_rejected", 'steps.op_add("/status", status)', "steps.at_version(hub)"),
    ),
    mutant(
        "V8-rejection-not-kept",
        "the answer to a rejected sync goes with the next status",
        Rewrite("sync.overlay:_keep_answers", "operations.is_rejection(on_hub)", "False"),
    ),
    mutant(
        "expiry-waits-for-the-agent",
        "a sync whose agent is away is never answered",
        Rewrite("principal.keeper:Keeper._next_step", "self._is_expired(obj)", "False"),
    ),
    mutant(
        "expiry-is-the-hubs-alone",
        "an agent starts what it got in time, however late",
        Rewrite("replication.intents:Intents._is_expired", "now >= ends", "False"),
    ),
    mutant(
        "expiry-starts-anew-with-each-try",
        "the seconds that are left count from the agent's last try",
        Rewrite("replication.intents:Intents._is_expired", "min(ends, deadline)", "ends"),
    ),
    mutant(
        "expiry-hides-what-ran",
        "the answer to an expired sync stands although the spoke has started it",
        Rewrite("sync.overlay:_keep_answers", "not refuted", "True"),
    ),
    mutant(
        "any-refresh-is-urgent",
        "a refresh that nobody on the hub has asked for is told there at once",
        Rewrite(
            "sync.wants:status",
            "[verb for verb, behind in asked.items() if body.get(verb) or behind]",
            "[verb for verb in intents.REQUESTS if body.get(verb)]",
        ),
    ),
    mutant(
        "time-stamps-without-budget",
        "statuses in which only time stamps change fill all slots of the hub",
        Rewrite("sync.flow:Flow.last", "self._cosmetic >= self._budget.cosmetic", "False"),
    ),
    mutant(
        "V14-any-status-answers-a-refresh",
        "a status from before the spoke's refresh answers it",
        Rewrite(
            "replication.statuses:Statuses._is_worked_off", "rv.at_least(record.asof, answered)", "True"
        ),
    ),
    mutant(
        "V14-refresh-answered-in-two-writes",
        "a body that shows the refresh pending answers it",
        Rewrite("sync.overlay:merge", "not body.get(verb)", "True"),
    ),
    mutant(
        "V14-refresh-that-changes-nothing",
        "a status that is the same after the refresh as before it is not sent",
        Rewrite("sync.wants:status", "body.get(verb) or behind", "body.get(verb)"),
    ),
    mutant(
        "V14-refresh-without-identity",
        "two refreshes of one kind are one and the same",
        Rewrite("sync.intents:asked", 'f"{hub.meta.uid} {moment} {value}"', "value"),
    ),
    mutant(
        "V15-no-empty-status",
        "a sync of a copy without a status does not add an empty one",
        Rewrite("sync.intents:_sync", 'changes.append(steps.op_add("/status", {}))', "None"),
    ),
    mutant(
        "busy-spoke",
        "a sync is started over whatever runs on the spoke",
        Rewrite(
            "sync.intents:_sync",
            'copy.get("operation") or (operations.is_unfinished(state) and not stuck)',
            "False",
        ),
    ),
    mutant(
        "start-without-version",
        "an operation is started without a test of the version that was seen",
        Rewrite(
            "sync.intents:_sync", "steps.at_version(copy)", 'steps.op_test("/metadata/uid", copy.meta.uid)'
        ),
    ),
    mutant(
        "start-leaves-the-old-state",
        "the operationState that stands is not removed in the write that starts an operation",
        Rewrite("sync.intents:_sync", 'changes.append(steps.op_remove("/status/operationState"))', "None"),
    ),
    mutant(
        "start-without-id",
        "the copy does not remember which sync was started last",
        Rewrite(
            "sync.intents:_sync",
            'changes += steps.map_changes("annotations", copy.annotations, {names.INTENT: intent})',
            "pass",
        ),
    ),
    mutant(
        "stamp-without-test",
        "a request is stamped without a test of the operation that was seen",
        Rewrite(
            "sync.intents:stamp", 'steps.op_test("/operation", operation)', "steps.op_test('/kind', hub.kind)"
        ),
    ),
    mutant(
        "one-intent-at-a-time",
        "a sync that waits holds back the terminate that would free the spoke",
        Rewrite(
            "principal.asking:Asking.changed",
            "intents.asked(change.new, self._first_seen(key, change.new))",
            "intents.asked(change.new, self._first_seen(key, change.new))[:1]",
        ),
    ),
    mutant(
        "intents-outlive-their-link",
        "what waits when a link ends is not forgotten",
        Rewrite(
            "sync.replica:Replica.link_up",
            "slot.told, slot.record = slot.held, None",
            "slot.told = slot.held",
        ),
    ),
    mutant(
        "withdrawn-intents-stay",
        "an intent that is no longer asked for is not withdrawn",
        Rewrite("replication.intents:Intents.bring_about", "self._refreshed.pop(work.key, None)", "None"),
        Rewrite("principal.asking:Asking.changed", "self._outlet.absent(intent_key)", "None"),
    ),
    mutant(
        "lost-start-is-not-repeated",
        "a sync whose copy went with all that it knew is not asked of the next copy",
        Rewrite("principal.asking:Asking.unstarted", "self._outlet.force(intent)", "None"),
    ),
    mutant(
        "stripped-entry-is-a-new-request",
        "an equal operation without our entry is asked for anew",
        Rewrite("principal.keeper:Keeper._stamp_for", "self._standing.get(name, stamp)", "stamp"),
    ),
    mutant(
        "sync-of-a-deleting-application",
        "a sync is sent for an Application that is on its way out",
        Rewrite(
            "sync.intents:asked",
            "entry.origin is Origin.INTENT and not hub.deleting",
            "entry.origin is Origin.INTENT",
        ),
        Rewrite(
            "sync.intents:stamp",
            "hub.deleting or operations.classify(operation).origin is not Origin.REQUEST",
            "operations.classify(operation).origin is not Origin.REQUEST",
        ),
        Rewrite("sync.intents:_sync", "copy.deleting", "False"),
    ),
    # Deleting
    mutant(
        "credentials-for-everybody",
        "whoever asks gets the credentials of any project that there is",
        Rewrite(
            "sync.entitlement:entitlement",
            "Entitlement.GRANTED if is_theirs else Entitlement.DENIED",
            "Entitlement.GRANTED",
        ),
    ),
    mutant(
        "credentials-of-no-project",
        "credentials that are scoped to no project go to everybody",
        Rewrite(
            "sync.entitlement:entitlement",
            "not named",
            "False",
            also=(
                ("not exists", "named and not exists"),
                (
                    "Entitlement.GRANTED if is_theirs else Entitlement.DENIED",
                    "Entitlement.GRANTED if is_theirs or not named else Entitlement.DENIED",
                ),
            ),
        ),
    ),
    mutant(
        "credentials-do-not-follow",
        "a project that changes takes no credentials along",
        Rewrite(
            "principal.desired:Desired.changed", "self._hub.scoped.members(change.object.meta.name)", "()"
        ),
    ),
    mutant(
        "denial-is-inferred",
        "credentials that an agent may not have any more wait for a person",
        Rewrite("principal.desired:Desired._follow", "witnessed or denied", "witnessed"),
        Rewrite(
            "principal.desired:Desired._is_reason",
            "self._entitlement(change.new) is not Entitlement.ORPHANED",
            "False",
        ),
    ),
    mutant(
        "orphans-are-withdrawn-at-once",
        "a hub that has lost its projects takes the credentials off every spoke",
        Rewrite(
            "principal.desired:Desired._is_reason",
            "self._entitlement(change.new) is not Entitlement.ORPHANED",
            "True",
        ),
    ),
    mutant(
        "unselected-is-absent",
        "a copy that its informer does not select is created again for ever",
        Rewrite("replication.known:Known._is_ahead", "not self._selects(own)", "False"),
    ),
    mutant(
        "secrets-of-the-spoke-are-taken",
        "a Secret of the spoke that is no repository's becomes the copy",
        Rewrite("sync.plan:refusal", "not place.row.selects(live)", "False"),
    ),
    mutant(
        "V9-cascade-with-its-own-finalizers",
        "a cascade deletes the copy with the finalizers that it happens to have",
        Rewrite("sync.plan:_cascade", "family != wanted", "False"),
    ),
    mutant(
        "V10-burial-without-version",
        "a tombstone deletes the copy in whatever version it has by then",
        Rewrite(
            "sync.plan:_remove",
            "steps.Delete(live.meta.uid, live.meta.resource_version, final=not live.finalizers)",
            'steps.Delete(live.meta.uid, "", final=not live.finalizers)',
        ),
    ),
    mutant(
        "V11-not-held-is-carried-out",
        "a hub object is let go once its spoke holds nothing of it, whatever it has answered",
        Rewrite(
            "principal.peer:Peer._carried_out",
            "self.outlet.core.answered(key)",
            "(entry := self.outlet.core._entries.get(key)) is None or entry.held is None",
        ),
    ),
    mutant(
        "V11-strip-the-family-only",
        "the finalizers of delete hooks stay on a hub object that is let go",
        Rewrite("sync.plan:strip", "names.is_argo_finalizer(name)", "names.in_family(name)"),
    ),
    mutant(
        "tombstone-cascades",
        "a tombstone deletes the copy with its resources-finalizers",
        Rewrite("sync.plan:_remove", "names.family(live.finalizers)", "()"),
    ),
    mutant(
        "project-does-not-wait",
        "an AppProject is deleted before the Applications that need it",
        Rewrite(
            "replication.dependencies:Dependencies._needed",
            'return f"Application {app.meta.name} {NEEDED}"',
            'return ""',
        ),
    ),
    mutant(
        "application-does-not-wait",
        "an Application is created before its AppProject, and nobody refreshes it",
        Constant("replication.dependencies:WAIT", 0.0),
        Rewrite(
            "agent.refresher:_Arrival.ends",
            "any(condition.get('type') in self.conditions for condition in shown)",
            "False",
        ),
    ),
    mutant(
        "wait-begins-anew",
        "an Application that keeps changing begins its wait for its AppProject anew each time",
        Rewrite("sync.replica:Replica.record", "slot.record is None", "True"),
    ),
    mutant(
        "no-refresh-when-the-project-comes",
        "an Application that had to go first is not refreshed when its AppProject comes",
        Rewrite(
            "agent.refresher:_Arrival.ends",
            "any(condition.get('type') in self.conditions for condition in shown)",
            "False",
        ),
    ),
    mutant(
        "deleting-without-family-is-present",
        "a hub object that is deleting without the family still counts as wanted",
        Rewrite(
            "principal.desired:Desired._project",
            "obj.deleting and not (row.cascades and names.family(obj.finalizers))",
            "False",
        ),
    ),
    mutant(
        "absence-from-an-incomplete-view",
        "a principal serves before it has listed, and what its view lacks is buried",
        Rewrite("sync.source:Source._may_bury", "self._complete.get(key.kind, False)", "True"),
        Rewrite(
            "replication.stores:Stores.run",
            "await nursery.start(store.informer.run, name=name)",
            "nursery.start_soon(store.informer.run, name=name)",
        ),
        Rewrite(
            "replication.stores:Stores.wait_all",
            "await store.informer.wait_synced()",
            "await trio.lowlevel.checkpoint()",
        ),
    ),
    mutant(
        "witness-is-not-told",
        "a record does not tell that its predecessor's deletion was witnessed",
        Rewrite(
            "sync.source:Source._send",
            "entry.gone if want is not None and entry.gone != want.uid else ''",
            "''",
        ),
    ),
    mutant(
        "recreate-whatever-was-seen",
        "a copy of another uid always goes, its predecessor's deletion witnessed or not",
        Rewrite(
            "sync.plan:_is_foreign",
            "theirs == record.replaces or any(now[field] != body[field] for field in now)",
            "True",
        ),
    ),
    mutant(
        "nothing-is-held",
        "what is absent goes, however much it is",
        Rewrite("sync.guard:Guard.ask", "not self._limits.enabled", "True"),
    ),
    mutant(
        "witnesses-are-not-believed",
        "what was seen to be deleted is held like what is merely absent",
        Rewrite("sync.guard:Guard._case", "departure.evidence is Evidence.WITNESSED", "False"),
        Rewrite("sync.guard:Guard._judge", "case.departure.evidence is Evidence.INFERRED", "True"),
    ),
    mutant(
        "a-start-brings-a-budget",
        "a program that has just started may delete what it finds absent",
        Rewrite("sync.guard:Guard._judge", "not objection and now < started + WINDOW", "False"),
    ),
    # What is held
    mutant(
        "V12-have-against-the-last-link",
        "holdings are told against what the last link was told",
        Rewrite(
            "sync.replica:Replica.link_up", "slot.told, slot.record = slot.held, None", "slot.record = None"
        ),
        Rewrite("sync.replica:Replica.compare", "slot.told = slot.held", "pass"),
    ),
    mutant(
        "V13-any-difference-is-normalisation",
        "what the API server answers to the first send is taken for its normalisation",
        Rewrite(
            "sync.plan:_update",
            "len(stored) >= 2 and ap == stored[-1] == stored[-2]",
            "len(stored) >= 1 and ap == stored[-1]",
        ),
    ),
    mutant(
        "AP-is-not-checked",
        "a copy holds what its marker says, whatever is stored",
        Rewrite(
            "sync.plan:holding", "mark is not None and mark.ap == projection.ap(row, obj)", "mark is not None"
        ),
    ),
    mutant(
        "writes-without-preconditions",
        "a copy is written whatever it is by then",
        Rewrite(
            "sync.plan:_guards",
            "[steps.at_version(live)]",
            "[]",
            also=(('[steps.op_test("/metadata/uid", live.meta.uid), steps.op_test(path, mark)]', "[]"),),
        ),
    ),
    mutant(
        "finalizers-without-version",
        "the finalizers of a copy are written without a test of what was seen",
        Rewrite("sync.plan:_update", 'now["finalizers"] != sent["finalizers"]', "False"),
    ),
    mutant(
        "no-normalisation",
        "a spec is sent in a form that Argo CD rewrites",
        Rewrite("sync.mapping:NamespaceMapping.down", "normalise_application_spec(spec)", "dict(spec)"),
    ),
    mutant(
        "D-covers-our-entry",
        "the digest of a status covers our own entry",
        Rewrite("sync.projection:status_of", "drop_entry(operation)", "None"),
    ),
    mutant(
        "aside-is-not-sent",
        "what a status body carries beside D is not sent by itself",
        Rewrite("sync.source:Source._settled", "entry.aside is None or entry.aside == want.aside", "True"),
    ),
    mutant(
        "own-writes-are-not-read",
        "a plan sees the informer's state, not the answers to our own writes",
        Rewrite("replication.known:Known.get", "own is None", "True"),
    ),
    mutant(
        "ack-on-receipt",
        "a record is answered when it arrives",
        Rewrite(
            "sync.replica:Replica.record",
            "slot.failures = 0",
            """
slot.failures = 0
if not record.tombstone and self._listed(record.key):
    self._say(Result(number, Outcome.APPLIED, holding=Holding(record.uid, record.digest)))
else:
    self._say(Result(number, Outcome.APPLIED))
""",
        ),
    ),
    mutant(
        "ack-of-what-was-not-applied",
        "the newest record is answered when an older one has been applied",
        Rewrite("sync.replica:Replica._finish", "slot.record is work.record", "slot.record is not None"),
    ),
    mutant(
        "changes-are-queued",
        "a bounded queue of changes that drops the oldest stands where the dirty keys are",
        Rewrite(
            "sync.source:Source._touch",
            "self._ready[entry.queued][key] = None",
            """
self._ready[entry.queued][key] = None
if len(self._ready[entry.queued]) > 2:
    oldest = next(iter(self._ready[entry.queued]))
    del self._ready[entry.queued][oldest]
    self._entries[oldest].queued = None
""",
        ),
    ),
    mutant(
        "holdings-are-not-told",
        "a change of what is held is not reported",
        Rewrite("sync.replica:Replica._tell", "self._say((key, slot.held))", "None"),
    ),
    mutant(
        "older-records-win",
        "what is put back from memory may undo what another process has applied since",
        Rewrite(
            "replication.copies:_is_newer",
            "mark is not None and rv.is_newer(mark.asof, record.asof)",
            "False",
        ),
    ),
    mutant(
        "no-standing-down",
        "a process that was replaced goes on guarding what it knows",
        Rewrite("sync.replica:Replica.stand_down", "self._guards = False", "return"),
    ),
    mutant(
        "a-relist-only-adds",
        "what a later list lacks stays in the cache",
        Rewrite(
            "kube.protocol.cache:Cache.apply_list",
            "[name for name in self._objects if name not in found]",
            "[]",
        ),
    ),
    mutant(
        "a-cache-goes-back",
        "a list older than the cache, and a replayed event, are taken",
        Rewrite(
            "kube.protocol.cache:Cache.is_behind",
            "rv.is_newer(self.resource_version, resource_version)",
            "False",
        ),
    ),
    mutant(
        "no-look-after-a-list",
        "what was written, and went before a list, is not looked at again",
        Rewrite("replication.workers:Workers.observe_again", "self.observe(key)", "None"),
    ),
    mutant(
        "no-continuous-check",
        "a change of what is held is not reported, and the root is compared at a link's beginning only",
        Rewrite("sync.replica:Replica.mark", "self._say(Root(self._held.root()))", "None"),
        Rewrite("sync.replica:Replica._tell", "self._say((key, slot.held))", "None"),
    ),
    mutant(
        "two-links-of-one-agent",
        "a newer link of an agent does not end the older one",
        Rewrite("principal.door:Door.admit", "seat is None", "True"),
    ),
    *POLICED,
    *MAPPED,
    *CROWDED,
    *CARRIED,
    *HYDRATED,
    *MOVED,
)
