"""What the hub hears of a refresh that it has asked for, whatever the spoke's own order of events is."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from trio_argoagent.agent.spoke import Spoke
from trio_argoagent.apiserver.crds import argocd_server
from trio_argoagent.apiserver.local import Call, LocalCluster
from trio_argoagent.model import rv
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.keys import Key, Kind, Verb
from trio_argoagent.model.objects import canonical
from trio_argoagent.model.records import Holding, Outcome, Record, Result
from trio_argoagent.model.resources import APPLICATIONS, NAMESPACES
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.runtime.config import AgentConfig
from trio_argoagent.sync import names
from trio_argoagent.testing.argocd.applications import application

from ..replication.world import NAMESPACE, make_env

STATUS = {"sync": {"status": "Synced"}, "reconciledAt": "2026-01-01T00:00:00Z"}
ANSWER = 1.0
"""Seconds until the API server's answer to a patch is here."""


class LateAnswers:
    """A gate: what a patch has done is seen before its answer."""

    async def before(self, call: Call) -> None:
        """See ``Gate``."""

    async def after(self, call: Call) -> None:
        """See ``Gate``."""
        if call.verb == "patch":
            await trio.sleep(ANSWER)


def sent(spoke: Spoke) -> list[dict[str, Any]]:
    """What the hub is told now, and has taken over."""
    bodies = []
    while (taken := spoke.outlet.take()) is not None:
        number, record = taken
        assert record.body is not None
        held = Holding(record.uid, record.digest)
        spoke.outlet.core.result(Result(number, Outcome.APPLIED, holding=held), trio.current_time())
        if record.key.kind is Kind.STATUS:
            bodies.append(msgspec.json.decode(record.body) | {"asof": record.asof})
    return bodies


@pytest.mark.parametrize("worked_off", [0.5, 1.5])
async def test_a_refresh_that_changes_nothing_ends(worked_off: float, autojump_clock: MockClock) -> None:
    """A second refresh within one second leaves the very same status: the hub hears of its end all the same.

    Args:
        worked_off: when, in seconds, Argo CD takes the annotation off: before and after our answer.
        autojump_clock: virtual time.
    """
    env = make_env()
    server = argocd_server(entropy=env.entropy)
    users = LocalCluster(server, env=env, actor="user")
    ours = LocalCluster(server, env=env, actor="product", gate=LateAnswers())
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    await users.create(NAMESPACES, space)
    made = await users.create(APPLICATIONS, application("web", cascade=False) | {"status": STATUS})
    spoke = Spoke(ours, AgentConfig(NAMESPACE, Mode.AUTONOMOUS), env, lambda kind, obj: None)
    async with trio.open_nursery() as nursery:
        await nursery.start(spoke.stores.run)
        await spoke.stores.wait_all()
        nursery.start_soon(spoke.workers.run)
        spoke.outlet.core.link_up(spoke.outlet.core.root(), trio.current_time())
        assert not sent(spoke)
        key = Key(Kind.INTENT, NAMESPACE, "web", Verb.REFRESH)
        body = canonical({"id": "r1", "value": "normal"})
        spoke.workers.record(1, spoke.inlet(Record(key, made.meta.uid, "D", "7", body)))
        told = []
        for moment in (worked_off, 2.0):
            await trio.sleep(moment - trio.current_time())
            told += sent(spoke)
            if moment == worked_off:
                done = {"metadata": {"annotations": {names.REFRESH: None}}}
                shown = await users.patch(APPLICATIONS, NAMESPACE, "web", MergePatch(done))
            await wait_all_tasks_blocked()
            told += sent(spoke)
        nursery.cancel_scope.cancel()
    assert not told[-1]["refresh"]
    assert rv.at_least(told[-1]["asof"], shown.meta.resource_version)
    assert told[-1]["status"] == STATUS
