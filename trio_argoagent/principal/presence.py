"""``trio-argoagent ctl`` asks the principal which agents are connected, through a ConfigMap of the hub.

Whether an agent is connected is known to the principal's live links alone. Written down at each change it
would cost two writes each time a link breaks, and would be wrong whenever the principal is killed. So whoever
wants to know writes a question into ``trio-argoagent-state``, and the principal an answer beside it::

    ask       a random word, and the name of an agent about whom all is to be told, if any
    answer    the same, and what holds now, as JSON

While nobody asks, nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec
import trio

from trio_argoagent.errors import NotFound
from trio_argoagent.model.resources import CONFIG_MAPS
from trio_argoagent.ports.cluster import Cluster, MergePatch
from trio_argoagent.replication.memory import LABEL, Memory, name_of

ASK: Final = "ask"
ANSWER: Final = "answer"
PATIENCE: Final = 8.0
"""Seconds that a question is given: the principal writes a second after it has heard of it."""
POLL: Final = 0.25
"""Seconds between two looks for the answer."""


class Live(msgspec.Struct, frozen=True):
    """An agent that is connected: since when (Unix time), and whether another process wants its place."""

    since: int
    contested: bool = False


class About(msgspec.Struct, frozen=True, omit_defaults=True):
    """One agent that the principal follows.

    Attributes:
        fingerprint: of the certificate of its live link, see ``model.fingerprints``; empty: it has none.
        address: ``host:port`` that its live link comes from.
    """

    fingerprint: str = ""
    address: str = ""


class Answer(msgspec.Struct, frozen=True):
    """What the principal says: to which question, who is connected, and of the agent that was asked about.

    ``about`` is None when nobody was asked about, or the principal does not follow such an agent.
    """

    ask: str
    connected: dict[str, Live]
    about: About | None = None


def read_answer(text: str) -> Answer | None:
    """An answer, of its text; None: there is none that we understand."""
    try:
        return msgspec.json.decode(text, type=Answer) if text else None
    except msgspec.MsgspecError:
        return None


def encode(answer: Answer) -> str:
    """The inverse of ``read_answer``."""
    return msgspec.json.encode(answer).decode()


class Answering:
    """The principal's end.

    Args:
        memory: the hub's.
        connected: who is connected now.
        about: what there is to tell of one agent.
    """

    def __init__(
        self,
        memory: Memory,
        connected: Callable[[], Mapping[str, Live]],
        about: Callable[[str], About | None],
    ) -> None:
        self._memory, self._connected, self._about = memory, connected, about

    def look(self) -> None:
        """The memory may have changed: answer what has not been answered."""
        ask = self._memory.durable(ASK)
        before = read_answer(self._memory.get(ANSWER))
        if ask and (before is None or before.ask != ask):
            agent = ask.partition(" ")[2]
            answer = Answer(ask, dict(self._connected()), self._about(agent) if agent else None)
            self._memory.put(ANSWER, encode(answer))


async def ask(hub: Cluster, namespace: str, word: str, agent: str = "") -> Answer | None:
    """Ask the principal; None: it does not answer, so there is none at work.

    Args:
        hub: its API.
        namespace: Argo CD's.
        word: that nobody has used before.
        agent: about whom it is to tell all.

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
