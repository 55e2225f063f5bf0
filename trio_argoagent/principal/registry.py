"""Which agents there are, and whether whoever dials is one of them: decisions only.

An agent exists by its cluster secret. The first that comes under its name is pinned there: mode, namespace
and cluster. Whoever comes later as somebody else is refused until an operator takes the pin away.

    ABSENT ── secret ──▸ EXPECTED ── pin ──▸ PINNED ◂── pin ──▸ RELEASED (its pin was taken away)
       ▴── secret gone ──────┴───────────────────┴──────────────────┘
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from typing import Final

import attrs

from trio_argoagent.principal.clusters import HOME, Entry, Pin, choose
from trio_argoagent.stream.protocol.messages import Reason, Refuse

UNKNOWN_RETRY: Final = 10.0
"""Seconds after which an agent without a cluster secret may ask again: it is let in soon after it has one."""
PINNED_RETRY: Final = 60.0
"""Seconds after which one that is pinned otherwise may ask again: a person has to act first."""


class Standing(enum.Enum):
    """How an agent stands on the hub."""

    ABSENT = "absent"
    """It has no cluster secret."""
    EXPECTED = "expected"
    """It has one, and nobody has come yet."""
    PINNED = "pinned"
    """It is known who it is: what it should hold is followed, connected or not."""
    RELEASED = "released"
    """It was known; the next that comes is taken. Until then whoever it was goes on."""


class Sight(enum.Enum):
    """What its secret shows now."""

    GONE = "gone"
    """There is none, or nobody can be let in by it."""
    OPEN = "open"
    """It pins nobody."""
    SAME = "same"
    """It pins whom we follow."""
    OTHER = "other"
    """It pins somebody whom we do not follow."""


class Effect(enum.Enum):
    """What is to be done."""

    BUILD = "build"
    """Follow what this agent should hold."""
    FORGET = "forget"
    """End its link and forget it. Nothing is deleted on either side."""


TRANSITIONS: Final[Mapping[tuple[Standing, Sight], tuple[Standing, tuple[Effect, ...]]]] = {
    (Standing.ABSENT, Sight.GONE): (Standing.ABSENT, ()),
    (Standing.ABSENT, Sight.OPEN): (Standing.EXPECTED, ()),
    (Standing.ABSENT, Sight.OTHER): (Standing.PINNED, (Effect.BUILD,)),
    (Standing.EXPECTED, Sight.GONE): (Standing.ABSENT, ()),
    (Standing.EXPECTED, Sight.OPEN): (Standing.EXPECTED, ()),
    (Standing.EXPECTED, Sight.OTHER): (Standing.PINNED, (Effect.BUILD,)),
    (Standing.PINNED, Sight.GONE): (Standing.ABSENT, (Effect.FORGET,)),
    (Standing.PINNED, Sight.OPEN): (Standing.RELEASED, ()),
    (Standing.PINNED, Sight.SAME): (Standing.PINNED, ()),
    (Standing.PINNED, Sight.OTHER): (Standing.PINNED, (Effect.FORGET, Effect.BUILD)),
    (Standing.RELEASED, Sight.GONE): (Standing.ABSENT, (Effect.FORGET,)),
    (Standing.RELEASED, Sight.OPEN): (Standing.RELEASED, ()),
    (Standing.RELEASED, Sight.SAME): (Standing.PINNED, ()),
    (Standing.RELEASED, Sight.OTHER): (Standing.PINNED, (Effect.FORGET, Effect.BUILD)),
}
"""What follows from what is seen. Nothing is the same as nobody: SAME needs somebody whom we follow."""


@attrs.frozen
class Deed:
    """One effect, on one agent; ``entry`` is what its secret says, and ``why`` what the agent is told."""

    effect: Effect
    agent: str
    entry: Entry | None
    why: str


@attrs.frozen
class Admit:
    """Let it in as whom it is known."""


@attrs.frozen
class WritePin:
    """Write this pin into that secret, look again, and ask again."""

    entry: Entry
    pin: Pin


@attrs.frozen
class Register:
    """Make a secret with this pin, look again, and ask again."""

    pin: Pin


Decision = Admit | WritePin | Register | Refuse


@attrs.define
class _Agent:
    standing: Standing = Standing.ABSENT
    entry: Entry | None = None
    followed: tuple[Pin | None, str] | None = None
    """Whom, and where on the hub."""


class Registry:
    """See the module.

    Args:
        registers: does an agent without a secret get one?
        most: agents that one principal will know.
    """

    def __init__(self, *, registers: bool, most: int) -> None:
        self._registers, self._most = registers, most
        self._secrets: dict[str, Entry] = {}
        self._by_agent: dict[str, dict[str, Entry]] = {}
        self._by_home: dict[str, dict[str, Entry]] = {}
        self._agents: dict[str, _Agent] = {}

    # What the secrets say

    def see(self, secret: str, entry: Entry | None) -> tuple[Deed, ...]:
        """A cluster secret of that name says this now (None: it is gone); returns what is to be done."""
        before = self._secrets.pop(secret, None)
        if before is not None:
            _take(self._by_agent, before.agent, secret)
            _take(self._by_home, before.home, secret)
        if entry is not None:
            self._secrets[secret] = entry
            self._by_agent.setdefault(entry.agent, {})[secret] = entry
            self._by_home.setdefault(entry.home, {})[secret] = entry
        # Its label may have changed: then it was one agent's, and is another's. So may its namespace.
        concerned = dict.fromkeys(agent for each in (before, entry) for agent in self._neighbours(each))
        return tuple(deed for agent in concerned for deed in self._settle(agent))

    def _neighbours(self, entry: Entry | None) -> Iterator[str]:
        """The agents whom it concerns that this entry comes or goes."""
        if entry is not None:
            yield entry.agent
            yield from (each.agent for each in self._by_home.get(entry.home, {}).values())

    def _chosen(self, agent: str) -> Entry | None:
        return choose(self._by_agent.get(agent, {}).values())

    def _judged(self, agent: str) -> Entry | None:
        """What counts of an agent's secrets, with what is wrong about it among all agents."""
        entry = self._chosen(agent)
        if entry is None or entry.problem:
            return entry
        same = self._by_home.get(entry.home, {}).values()
        owner = choose(each for each in same if not each.problem and each == self._chosen(each.agent))
        if owner is None or owner.agent == agent:
            return entry
        taken = f"namespace {entry.home} of the hub is agent {owner.agent}'s"
        return attrs.evolve(entry, problem=f"{taken}; name another one in annotation {HOME}")

    def _settle(self, name: str) -> tuple[Deed, ...]:
        entry = self._judged(name)
        agent = self._agents.setdefault(name, _Agent())
        deeds: tuple[Deed, ...] = ()
        if agent.entry is not None and entry is not None and agent.entry.uid != entry.uid:
            # Made anew, with nobody telling that it was gone: that is another registration.
            deeds = self._step(name, agent, None)
        deeds += self._step(name, agent, entry)
        if entry is None:
            del self._agents[name]
        return deeds

    def _step(self, name: str, agent: _Agent, entry: Entry | None) -> tuple[Deed, ...]:
        agent.standing, effects = TRANSITIONS[agent.standing, _sight(entry, agent.followed)]
        agent.entry = entry
        if Effect.FORGET in effects:
            agent.followed = None
        if Effect.BUILD in effects and entry is not None:
            agent.followed = (entry.pin, entry.home)
        why = f"{name} has been taken off the hub"
        if entry is not None:
            why = entry.problem or f"{name} is another cluster, or elsewhere on the hub, from now on"
        return tuple(Deed(effect, name, entry, why) for effect in effects)

    def standing(self, agent: str) -> Standing:
        """How this agent stands."""
        found = self._agents.get(agent)
        return found.standing if found is not None else Standing.ABSENT

    def entry(self, agent: str) -> Entry | None:
        """What its secret says; None: it has none."""
        found = self._agents.get(agent)
        return found.entry if found is not None else None

    # Who dials

    def judge(self, name: str, pin: Pin) -> Decision:
        """Somebody with the certificate of this agent dials, and says that it is this."""
        agent = self._agents.get(name)
        if agent is None or agent.entry is None:
            return self._stranger(name, pin)
        if agent.entry.problem:
            return Refuse(Reason.IDENTITY, agent.entry.problem, PINNED_RETRY)
        known = agent.entry.pin
        if known is None:
            return WritePin(agent.entry, pin)
        return Admit() if pin == known else _other(name, known, pin)

    def _stranger(self, name: str, pin: Pin) -> Decision:
        if not self._registers:
            detail = f"the hub has no cluster secret labelled {name}: add the agent, see docs/agents.md"
            return Refuse(Reason.UNKNOWN_AGENT, detail, UNKNOWN_RETRY)
        if len(self._agents) >= self._most:
            return Refuse(Reason.INTERNAL, f"this principal knows {self._most} agents already", PINNED_RETRY)
        return Register(pin)


def _take(index: dict[str, dict[str, Entry]], key: str, secret: str) -> None:
    del index[key][secret]
    if not index[key]:
        del index[key]


def _sight(entry: Entry | None, followed: tuple[Pin | None, str] | None) -> Sight:
    if entry is None or entry.problem:
        return Sight.GONE
    if entry.pin is None:
        return Sight.OPEN
    return Sight.SAME if (entry.pin, entry.home) == followed else Sight.OTHER


def _other(name: str, known: Pin, pin: Pin) -> Refuse:
    advice = f"if that is meant: trio-argoagent ctl agent repin {name}"
    if pin.cluster_uid != known.cluster_uid:
        # Which one is not said: whoever has stolen a key need only claim it.
        detail = f"{name} is known as another cluster; give this one a name and"
        return Refuse(Reason.IDENTITY, f"{detail} certificate of its own; {advice}", PINNED_RETRY)
    detail = f"{name} is known as {known.mode} in namespace {known.namespace}; {advice}"
    return Refuse(Reason.MODE, detail, PINNED_RETRY)
