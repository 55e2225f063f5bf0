"""``trio-argoagent ctl`` asks the principal which agents are connected, through a ConfigMap of the hub.

Whether an agent is connected is known to the principal's live links alone. Written down at each change it
would cost two writes each time a link breaks, and would be wrong whenever the principal is killed. So whoever
wants to know writes a question into ``trio-argoagent-state``, and the principal an answer beside it::

    ask       a random word, and the name of an agent about whom all is to be told, or * for all agents
    answer    the same, and what holds now, as JSON

While nobody asks, nothing is written.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Mapping
from typing import Final

import msgspec
import trio

from trio_argoagent.errors import NotFound
from trio_argoagent.model import nesting
from trio_argoagent.model.resources import CONFIG_MAPS
from trio_argoagent.ports.cluster import Cluster, MergePatch
from trio_argoagent.replication.memory import LABEL, MAX_TEXT, Memory, name_of

ASK: Final = "ask"
ANSWER: Final = "answer"
PATIENCE: Final = 8.0
"""Seconds that a question is given: the principal writes a second after it has heard of it."""
POLL: Final = 0.25
"""Seconds between two looks for the answer."""
ALL: Final = "*"
"""Asks about every agent."""
SHOWN: Final = 100
"""Objects that an answer names; the others are counted."""
_PACKED: Final = "z"
"""How a compressed answer begins."""
_LONG: Final = 32 * 1024
"""Bytes of an answer above which it is compressed."""
_LARGEST: Final = 16 * 1024 * 1024
"""Bytes that a compressed one may unfold to."""


class Live(msgspec.Struct, frozen=True):
    """An agent that is connected: since when (Unix time), and whether another process wants its place."""

    since: int
    contested: bool = False


class Numbers(msgspec.Struct, frozen=True, array_like=True):
    """How far an agent is: what the hub sends it, and what it sends the hub.

    Attributes:
        wanted: objects that the spoke should hold.
        unsettled: of these, and of what is asked of it, how many it does not hold or has not answered.
        oldest: seconds for which the oldest of these has been so.
        refused: of these, how many it has refused.
        held: objects of the hub that hold what it says.
        pending: records of its that the hub does not hold yet.
        links: how often it has connected since the principal started.
    """

    wanted: int = 0
    unsettled: int = 0
    oldest: int = 0
    refused: int = 0
    held: int = 0
    pending: int = 0
    links: int = 0


class Waiting(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that the agent does not hold, or has not taken up.

    Attributes:
        what: the kind, or what a user asks for, and the object.
        state: ``waiting``, ``in flight`` or ``refused``.
        seconds: for which it has been so.
        reason: what the agent says; empty: nothing yet.
    """

    what: str
    state: str
    seconds: int = 0
    reason: str = ""


class PastLink(msgspec.Struct, frozen=True, omit_defaults=True):
    """A link that has ended: from when to when (Unix time), and why."""

    since: int
    until: int
    reason: str = ""


class About(msgspec.Struct, frozen=True, omit_defaults=True):
    """One agent that the principal follows.

    Attributes:
        fingerprint: of the certificate of its live link, see ``model.fingerprints``; empty: it has none.
        address: ``host:port`` that its live link comes from.
        numbers: how far it is.
        waiting: what it does not hold yet, the oldest first; ``SHOWN`` of them.
        as_of: the resourceVersion of the hub at which it is proven to hold all Applications; empty: none.
        silence: of which kinds no absence is told to it, and why; empty: of none.
        links: those that it had before, the newest first; the last few of this principal's life.
    """

    fingerprint: str = ""
    address: str = ""
    numbers: Numbers = Numbers()
    waiting: tuple[Waiting, ...] = ()
    as_of: str = ""
    silence: str = ""
    links: tuple[PastLink, ...] = ()


class Fleet(msgspec.Struct, frozen=True):
    """All agents that the principal follows.

    Attributes:
        numbers: by name.
        unclaimed: Applications that wait for an agent that does not exist, and for which; ``SHOWN`` of them.
        unclaimed_total: how many there are.
    """

    numbers: dict[str, Numbers]
    unclaimed: dict[str, str]
    unclaimed_total: int


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the principal says: to which question, who is connected, and what else was asked for.

    ``about`` is None when nobody was asked about, or the principal does not follow such an agent; ``fleet``
    when it was not asked for, or is too large to tell.
    """

    ask: str
    connected: dict[str, Live]
    about: About | None = None
    fleet: Fleet | None = None
    banned: dict[str, int] = {}
    """The agents that stay outside for having misbehaved, and for how many seconds yet."""


def read_answer(text: str) -> Answer | None:
    """An answer, of its text; None: there is none that we understand."""
    try:
        packed = base64.b64decode(text[1:]) if text.startswith(_PACKED) else b""
        plain = zlib.decompressobj().decompress(packed, _LARGEST) if packed else text.encode()
        return nesting.decode(msgspec.json.Decoder(Answer), plain) if text else None
    except (msgspec.MsgspecError, ValueError, zlib.error):
        return None


def encode(answer: Answer) -> str:
    """The inverse of ``read_answer``; compressed where it is long, without the fleet where it is too long."""
    plain = msgspec.json.encode(answer)
    if len(plain) <= _LONG:
        return plain.decode()
    packed = _PACKED + base64.b64encode(zlib.compress(plain)).decode()
    if len(packed) > MAX_TEXT and answer.fleet is not None:
        return encode(msgspec.structs.replace(answer, fleet=None))
    return packed


class Answering:
    """The principal's end.

    Args:
        memory: the hub's.
        connected: who is connected now.
        about: what there is to tell of one agent.
        fleet: what there is to tell of all.
        banned: who stays outside for having misbehaved, and for how many seconds.
    """

    def __init__(
        self,
        memory: Memory,
        connected: Callable[[], Mapping[str, Live]],
        about: Callable[[str], About | None],
        fleet: Callable[[], Fleet],
        banned: Callable[[], Mapping[str, int]] = dict,
    ) -> None:
        self._banned = banned
        self._memory, self._connected, self._about, self._fleet = memory, connected, about, fleet

    def look(self) -> None:
        """The memory may have changed: answer what has not been answered."""
        ask = self._memory.durable(ASK)
        before = read_answer(self._memory.get(ANSWER))
        if ask and (before is None or before.ask != ask):
            whom = ask.partition(" ")[2]
            about = self._about(whom) if whom and whom != ALL else None
            fleet = self._fleet() if whom == ALL else None
            answer = Answer(ask, dict(self._connected()), about, fleet, dict(self._banned()))
            self._memory.put(ANSWER, encode(answer))


async def ask(hub: Cluster, namespace: str, word: str, agent: str = "") -> Answer | None:
    """Ask the principal; None: it does not answer, so there is none at work.

    Args:
        hub: its API.
        namespace: Argo CD's.
        word: that nobody has used before.
        agent: about whom it is to tell all; ``ALL``: the numbers of each.

    Raises:
        ApiError: the hub does not let us.
    """
    question = f"{word} {agent}" if agent else word
    patch = MergePatch({"metadata": {"labels": {LABEL: "true"}}, "data": {ASK: question}})
    try:
        await hub.patch(CONFIG_MAPS, namespace, name_of(""), patch)
    except NotFound:
        metadata = {"name": name_of(""), "namespace": namespace, "labels": {LABEL: "true"}}
        value = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {ASK: question}}
        await hub.create(CONFIG_MAPS, value)
    with trio.move_on_after(PATIENCE):
        while True:
            data = (await hub.get(CONFIG_MAPS, namespace, name_of(""))).get("data") or {}
            answer = read_answer(data.get(ANSWER, ""))
            if answer is not None and answer.ask == question:
                return answer
            await trio.sleep(POLL)
    return None
