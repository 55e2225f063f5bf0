"""How one root takes over from another without an agent being lost: the phases, and when the next may come.

    TRUST ── every agent trusts the new root ──▸ ISSUE ── the hub's own certificates are of it ──▸ RENEW
    RENEW ── every agent's certificate is of it ──▸ DROP ── no agent trusts the old root ──▸ over

An agent that is away may come back with what it had, so it is waited for: for 30 days, or until a person says
that it is not (it then needs a new token or new files). Decisions only; whoever asks carries them out.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import attrs
import msgspec

from trio_argoagent.errors import UserError
from trio_argoagent.model import nesting
from trio_argoagent.model.fingerprints import is_fingerprint

ANNOTATION: Final = "trio-argoagent/ca-rotation"
"""Of the hub's Secret ``argocd-agent-ca``: how far a rotation is; without it there is none."""
DROPPED: Final = "trio-argoagent/ca-dropped"
"""Of the same Secret: fingerprints of the roots that rotations have dropped, the newest last. They outlive
the rotation, for the agents that it was over without."""
NOTES: Final = (ANNOTATION, DROPPED)
"""What the principal reads of it besides the certificates."""
MAX_DROPPED: Final = 8
"""Roots that were dropped and are remembered; a rotation takes weeks, and the oldest go first."""
PATIENCE: Final = 30 * 86_400.0
"""Seconds that an agent which is away is waited for."""


class Phase(enum.StrEnum):
    """How far a rotation is."""

    TRUST = "trust"
    """Both roots are to be trusted everywhere; the old one issues."""
    ISSUE = "issue"
    """The new one issues; the hub's own certificates are made anew."""
    RENEW = "renew"
    """The agents' certificates are made anew."""
    DROP = "drop"
    """The old root is trusted by nobody any more."""


class Rotation(msgspec.Struct, frozen=True, kw_only=True):
    """A rotation that is under way.

    Attributes:
        phase: how far it is.
        old: fingerprint of the root that leaves, see ``bundles.fingerprint``.
        new: of the one that stays.
        since: when it began (Unix time).
        without: the agents that are not waited for, in order.
    """

    phase: Phase
    old: str
    new: str
    since: float
    without: tuple[str, ...] = ()


@attrs.frozen
class Agent:
    """What is known of one.

    Attributes:
        name: its own.
        connected: now?
        seen: when it was connected last, as far as that was since the rotation began (Unix time).
        roots: fingerprints of those that it trusts; None: it has not said.
        issuer: fingerprint of the root that its certificate is of; empty: neither the old nor the new one, or
            nobody has seen it.
    """

    name: str
    connected: bool
    seen: float | None = None
    roots: tuple[str, ...] | None = None
    issuer: str = ""


@attrs.frozen
class Waiting:
    """Somebody who is waited for, and why; one line."""

    name: str
    why: str


@attrs.frozen
class Verdict:
    """Whether the next phase may come.

    Attributes:
        waits: for whom it waits, in order; empty: it may come.
        left: who is left behind by it, in order, and why.
    """

    waits: tuple[Waiting, ...]
    left: tuple[Waiting, ...]

    @property
    def may_advance(self) -> bool:
        """May it come?"""
        return not self.waits


def _trusts_new(rotation: Rotation, agent: Agent) -> str:
    if agent.roots is None:
        return "has not said what it trusts"
    return "" if rotation.new in agent.roots else "does not trust the new root yet"


def _has_new(rotation: Rotation, agent: Agent) -> str:
    if agent.issuer == rotation.new:
        return ""
    return "has a certificate of the old root" if agent.issuer else "has shown no certificate of the new root"


def _left_old(rotation: Rotation, agent: Agent) -> str:
    if agent.roots is None:
        return "has not said what it trusts"
    return "still trusts the old root" if rotation.old in agent.roots else ""


def _nothing(rotation: Rotation, agent: Agent) -> str:
    return ""


@attrs.frozen
class _Row:
    after: Phase | None
    lacks: Callable[[Rotation, Agent], str]


_TABLE: Final[Mapping[Phase, _Row]] = {
    Phase.TRUST: _Row(Phase.ISSUE, _trusts_new),
    Phase.ISSUE: _Row(Phase.RENEW, _nothing),
    Phase.RENEW: _Row(Phase.DROP, _has_new),
    Phase.DROP: _Row(None, _left_old),
}
"""What comes after a phase (None: it is over), and what an agent lacks until then."""


def after(phase: Phase) -> Phase | None:
    """The next phase; None: it is over."""
    return _TABLE[phase].after


def judge(rotation: Rotation, agents: Iterable[Agent], now: float) -> Verdict:
    """May the next phase come?

    Args:
        rotation: as it is.
        agents: all that the hub knows.
        now: Unix time.
    """
    waits, left = [], []
    for agent in sorted(agents, key=lambda each: each.name):
        lacks = _TABLE[rotation.phase].lacks(rotation, agent)
        if not lacks:
            continue
        if agent.name in rotation.without:
            left.append(Waiting(agent.name, f"{lacks}; not waited for, as told"))
            continue
        if agent.connected:
            waits.append(Waiting(agent.name, f"connected, {lacks}"))
            continue
        away = max(0.0, now - max(rotation.since, agent.seen or 0.0))
        why = f"away for {away / 86_400.0:.1f} days, {lacks}"
        (waits if away < PATIENCE else left).append(Waiting(agent.name, why))
    return Verdict(tuple(waits), tuple(left))


def advanced(rotation: Rotation) -> Rotation | None:
    """One phase later; None: it is over."""
    then = after(rotation.phase)
    return None if then is None else msgspec.structs.replace(rotation, phase=then)


def without(rotation: Rotation, names: Iterable[str]) -> Rotation:
    """The same, but these agents are not waited for either."""
    kept = tuple(sorted({*rotation.without, *names}))
    return msgspec.structs.replace(rotation, without=kept)


def abandoned(rotation: Rotation) -> Rotation:
    """The way back, while nothing has been issued by the new root: it is dropped, and the old one stays.

    Raises:
        UserError: it is too late; another rotation is the way.
    """
    if rotation.phase is not Phase.TRUST:
        raise UserError(
            f"the rotation is in phase {rotation.phase}: the new root issues already; go on, and rotate again"
        )
    return msgspec.structs.replace(rotation, phase=Phase.DROP, old=rotation.new, new=rotation.old)


def read(text: str) -> Rotation | None:
    """What the annotation says; empty: there is no rotation.

    Raises:
        UserError: it cannot be read.
    """
    if not text:
        return None
    try:
        return nesting.decode(msgspec.json.Decoder(Rotation), text.encode())
    except (msgspec.MsgspecError, UnicodeError) as exc:
        raise UserError(f"the annotation {ANNOTATION} cannot be read: {exc}") from exc


def read_dropped(text: str) -> tuple[str, ...]:
    """The fingerprints that the annotation ``DROPPED`` holds; what is none is passed over."""
    found = tuple(dict.fromkeys(filter(is_fingerprint, text.upper().split())))
    return found[-MAX_DROPPED:]


def dropping(text: str, root: str) -> str:
    """The annotation ``DROPPED`` from now on, when this root is dropped, too."""
    before = tuple(each for each in read_dropped(text) if each != root)
    return " ".join((*before, root)[-MAX_DROPPED:])


def encode(rotation: Rotation) -> str:
    """The inverse of ``read``."""
    return msgspec.json.encode(rotation).decode()
