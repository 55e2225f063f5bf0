"""Seed after seed: what each of them came to, as values that travel between processes.

``play`` runs one plan here. A campaign runs many, in worker processes (``python -m`` this module), because a
seed that never ends can only be ended from outside; a worker reads one job a line and answers with one line.
Neither the order in which workers answer nor their number shows in what a campaign says.

A seed's digest is BLAKE2b over its trace: one JSON line for each API write. So it is the ``b2sum -l 256`` of
the file that ``simulate --trace`` writes for one seed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import signal
import sys
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO, Final

import attrs

from trio_argoagent.apiserver.core.values import LogEntry
from trio_argoagent.model.objects import canonical
from trio_argoagent.testing import timeline
from trio_argoagent.testing.discretion import masked
from trio_argoagent.testing.plan import Options, Plan, draw_plan
from trio_argoagent.testing.trial import Moment, run_plan

DIGEST: Final = 32
"""Bytes of a digest."""
MAX_MOMENTS: Final = 200_000
"""Moments of a run that are kept for its timeline; the oldest go first."""
FEW: Final = 20
"""Items of a plan of which a timeline shows all; of more, users' actions are left to the writes they make."""
_RULE: Final = re.compile(r"\b(?:I\d+b?|L\d|W\d)\b")


@attrs.frozen
class Job:
    """What a worker is to run: a saved plan, or what a seed draws.

    Attributes:
        seed: of the plan.
        options: that it is drawn with.
        plan: as JSON; empty: drawn.
        trace: where every API write goes as a JSON line; empty: nowhere.
    """

    seed: int
    options: Options = attrs.field(factory=Options)
    plan: str = ""
    trace: str = ""

    def to_json(self) -> str:
        """One line."""
        return json.dumps(attrs.asdict(self))

    @classmethod
    def from_json(cls, line: str) -> Job:
        """What ``to_json`` has written."""
        fields = json.loads(line)
        options = fields["options"]
        return cls(**fields | {"options": Options(**options | {"faults": tuple(options["faults"])})})

    def find_plan(self) -> Plan:
        """The plan that it names.

        Raises:
            UserError: its JSON is none of a plan.
        """
        return Plan.from_json(self.plan) if self.plan else draw_plan(self.seed, self.options)


@attrs.frozen
class Outcome:
    """What one seed came to.

    Attributes:
        seed: which.
        violation: what did not hold, a line each, in the order of time; empty: everything held.
        steps: of the scheduler; 0 where the worker did not live to say.
        seconds: of virtual time.
        faults: what befell the fleet and its calls, and how often.
        digest: of every API write, in hex.
        timeline: what led to the violation.
        plan: as JSON; empty where nothing was violated.
    """

    seed: int
    violation: str = ""
    steps: int = 0
    seconds: float = 0.0
    faults: Mapping[str, int] = attrs.field(factory=dict)
    digest: str = ""
    timeline: tuple[str, ...] = ()
    plan: str = ""

    def to_json(self) -> str:
        """One line."""
        return json.dumps(attrs.asdict(self))

    @classmethod
    def from_json(cls, line: str | bytes) -> Outcome:
        """What ``to_json`` has written."""
        fields = json.loads(line)
        return cls(**fields | {"timeline": tuple(fields["timeline"])})

    @property
    def rules(self) -> list[str]:
        """Which rules were broken, the first one first; where a line names none, its beginning."""
        found = (_RULE.search(line) for line in self.violation.splitlines())
        named = [match[0] for match in found if match is not None]
        return list(dict.fromkeys(named)) or [self.violation.partition(":")[0]]


class _Recorder:
    """Hashes, writes and retells what happens in one run."""

    def __init__(self, out: BinaryIO | None) -> None:
        self.moments: deque[Moment] = deque(maxlen=MAX_MOMENTS)
        self._out, self._hasher = out, hashlib.blake2b(digest_size=DIGEST)

    def __call__(self, moment: Moment) -> None:
        self.moments.append(moment)
        if moment.entry is None:
            return
        written = canonical(_shown(moment.at, moment.cluster, moment.entry)) + b"\n"
        self._hasher.update(written)
        if self._out is not None:
            self._out.write(written)

    @property
    def digest(self) -> str:
        return self._hasher.hexdigest()


def _shown(at: float, cluster: str, entry: LogEntry) -> dict[str, Any]:
    """A write as the trace has it."""
    return {
        "at": round(at, 6),
        "cluster": cluster,
        "rv": entry.rv,
        "actor": entry.actor,
        "verb": entry.verb.value,
        "resource": str(entry.resource),
        "namespace": entry.namespace,
        "name": entry.name,
        "object": masked(entry.subject.value),
    }


def play(job: Job) -> Outcome:
    """Run one job here, from its beginning to its judgement.

    Raises:
        UserError: its plan cannot be read.
    """
    plan = job.find_plan()
    with contextlib.ExitStack() as stack:
        out = stack.enter_context(Path(job.trace).open("wb")) if job.trace else None
        recorder = _Recorder(out)
        report = run_plan(plan, trace=recorder)
    outcome = Outcome(
        plan.seed,
        "\n".join(sorted((" ".join(text.split()) for text in report.violations), key=timeline.when)),
        report.steps,
        round(report.seconds, 3),
        dict(sorted((report.faults + report.calls).items())),
        recorder.digest,
    )
    if not outcome.violation:
        return outcome
    led = timeline.select(recorder.moments, whole=len(plan.items) <= FEW)
    return attrs.evolve(outcome, timeline=tuple(led), plan=plan.to_json())


def item_count(plan: str) -> int:
    """How many troubles a plan has."""
    return len(Plan.from_json(plan).items)


def with_items(plan: str, kept: Iterable[int]) -> str:
    """The same plan with these of its items only."""
    whole = Plan.from_json(plan)
    return attrs.evolve(whole, items=tuple(whole.items[index] for index in kept)).to_json()


class Tally:
    """What a campaign came to, whatever the order in which its seeds ended."""

    def __init__(self) -> None:
        self._digests: dict[int, str] = {}
        self._violated: set[int] = set()
        self._steps, self._seconds = 0, Fraction(0)
        self._faults: Counter[str] = Counter()

    def add(self, outcome: Outcome) -> None:
        """Count one seed."""
        self._digests[outcome.seed] = outcome.digest
        self._steps += outcome.steps
        # A sum of floats would depend on the order.
        self._seconds += Fraction(outcome.seconds)
        self._faults.update(outcome.faults)
        if outcome.violation:
            self._violated.add(outcome.seed)

    @property
    def violated(self) -> list[int]:
        """The seeds that broke a rule, in their order."""
        return sorted(self._violated)

    def result(self) -> dict[str, Any]:
        """What ``simulate --json`` prints; ``trace_blake2b`` is over the seeds' digests in their order."""
        hasher = hashlib.blake2b(digest_size=DIGEST)
        for seed in sorted(self._digests):
            hasher.update(self._digests[seed].encode() + b"\n")
        return {
            "seeds": len(self._digests),
            "steps": self._steps,
            "virtual_hours": round(float(self._seconds / 3600), 4),
            "faults": dict(sorted(self._faults.items())),
            "violations": len(self._violated),
            "trace_blake2b": hasher.hexdigest(),
        }


def main() -> None:
    """A worker: answer each line of standard input with one of standard output, until there is no more."""
    # Ctrl-C reaches the whole group; whoever started this worker ends it, and says what was done by then.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        answers.write(play(Job.from_json(line)).to_json() + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
