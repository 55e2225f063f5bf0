"""What a pass of the simulated controller decides: writes, effects on the workload, and when to look again.

The labels W1 to W9 are those of the behaviour table in ``testing.argocd``; every write but W9 goes out
without a resourceVersion, which is what makes Argo CD a writer that overwrites others.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from typing import Any, Final

import attrs

from trio_argoagent.ports.cluster import JsonPatch, MergePatch
from trio_argoagent.testing.argocd.git import Manifest
from trio_argoagent.testing.argocd.names import Level, Value


class Label(enum.StrEnum):
    """Which write of the table it is."""

    STATUS = "W1"
    REFRESH_DONE = "W2"
    OPERATION_STATE = "W3"
    HISTORY = "W4"
    SPEC = "W5"
    FINALIZERS = "W6"
    CONDITIONS = "W7"
    HYDRATOR = "W8"
    AUTO_SYNC = "W9"


@attrs.frozen
class Write:
    """One patch of the Application, sent as it is."""

    label: Label
    patch: MergePatch | JsonPatch


@attrs.frozen
class SetOperation:
    """W9: read it; if no operation stands, set this one, drop operationState, PUT; a conflict: again."""

    operation: Value
    label: Label = Label.AUTO_SYNC


@attrs.frozen
class BeginAttempt:
    """The workload effect: an attempt of an operation starts to run now.

    ``token`` is the operation's startedAt and its retry count: resuming after a crash begins it again.
    """

    token: str
    operation: Value


@attrs.frozen
class ApplyManifests:
    """The workload effect: these are applied (and those, no longer wanted, pruned)."""

    manifests: tuple[Manifest, ...]
    pruned: tuple[Manifest, ...]


@attrs.frozen
class EndAttempt:
    """The workload effect: that attempt is over, with this phase."""

    token: str
    phase: str
    operation: Value


@attrs.frozen
class Cascade:
    """The workload effect: everything the Application owns is deleted, because of this finalizer."""

    finalizer: str
    background: bool


@attrs.frozen
class RunHook:
    """The workload effect: the deletion hooks of this finalizer run, or are cleaned up."""

    finalizer: str


Effect = BeginAttempt | ApplyManifests | EndAttempt | Cascade | RunHook
Step = Write | SetOperation | Effect


@attrs.frozen
class Wake:
    """Look at this Application again after so many seconds: at its status, or (level None) its operation."""

    after: float
    level: Level | None = None


@attrs.frozen
class Decision:
    """What a pass does, in this order, and when the next one is due if nothing else happens."""

    steps: tuple[Step, ...] = ()
    wakes: tuple[Wake, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of its writes, in order."""
        return tuple(step.label for step in self.steps if isinstance(step, Write | SetOperation))

    def body(self, label: str) -> Any:
        """The content of the one write with that label: for tests.

        Raises:
            KeyError: there is not exactly one.
        """
        found = [s for s in self.steps if isinstance(s, Write | SetOperation) and s.label == label]
        if len(found) != 1:
            raise KeyError(f"{len(found)} writes {label}, of {self.labels}")
        step = found[0]
        if isinstance(step, SetOperation):
            return step.operation
        return step.patch.value if isinstance(step.patch, MergePatch) else list(step.patch.operations)


def merge_diff(old: Value, new: Value) -> dict[str, Any]:
    """The RFC 7386 patch that makes ``new`` of ``old``; empty if they are equal. Lists are replaced whole."""
    result: dict[str, Any] = {name: None for name in old if name not in new}
    for name, value in new.items():
        before = old.get(name)
        if name in old and before == value:
            continue
        nested = isinstance(before, Mapping) and isinstance(value, Mapping)
        result[name] = merge_diff(before, value) if nested and before is not None else value
    return result


def typed_status(status: Value | None) -> dict[str, Any]:
    """The status as a typed client stores it: what is empty in Go but not omitted is there (section 1.1)."""
    result: dict[str, Any] = {"health": {}, "summary": {}, **(status or {})}
    result["sync"] = dict(_SYNC) | dict(result.get("sync") or {})
    return result


_SYNC: Final[Value] = {"comparedTo": {"destination": {}, "source": {"repoURL": ""}}, "status": ""}

SPEC_CONDITIONS: Final = ("InvalidSpecError", "UnknownError")
COMPARE_CONDITIONS: Final = (
    "ComparisonError", "SharedResourceWarning", "RepeatedResourceWarning", "ExcludedResourceWarning",
    "OrphanedResourceWarning",
)  # fmt: skip


def set_conditions(
    old: Iterable[Value], new: Iterable[Value], evaluated: Iterable[str], at: str
) -> list[dict[str, Any]]:
    """The conditions after a pass that judged the ``evaluated`` types (ApplicationStatus.SetConditions).

    Other types stay, whoever wrote them; an equal message keeps its time; the whole list is sorted.
    """
    judged = tuple(evaluated)
    before = list(old)
    result = [dict(each) for each in before if each["type"] not in judged]
    known = {each["type"]: each for each in before}
    for each in new:
        same = known.get(each["type"])
        keep = same is not None and same.get("message") == each["message"]
        result.append(dict(same) if same is not None and keep else {**each, "lastTransitionTime": at})
    for each in result:
        each.setdefault("lastTransitionTime", at)
    return sorted(result, key=lambda c: (c["type"], c.get("message", ""), c["lastTransitionTime"]))
