"""The laws of the store: whatever clients do, versions rise, and watches tell exactly what has happened."""

from __future__ import annotations

import random
from typing import Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.unit.apiserver.core.helpers import NOW, NS
from trio_argoagent.apiserver.core import patches
from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.core.values import EventKind, Stored, Verb
from trio_argoagent.apiserver.core.watching import Watch
from trio_argoagent.errors import ApiError, Expired
from trio_argoagent.model.resources import CONFIG_MAPS, NAMESPACES

NAMES = st.sampled_from(["a", "b", "c"])
DATA = st.dictionaries(st.sampled_from(["k", "l"]), st.sampled_from(["1", "2"]), max_size=2)
LABELS = st.sampled_from([{}, {"team": "x"}, {"team": "y"}])
HOLDS = st.sampled_from([[], ["example.com/hold"]])
SELECTORS = st.sampled_from(["", "team=x", "team!=x", "team"])

State = dict[str, Stored]


class Follower:
    """Who lists, watches from there, and so knows the collection."""

    def __init__(self, server: ApiServer, selector: str) -> None:
        page = server.list(CONFIG_MAPS, labels=selector)
        self.selector = selector
        self.state: State = {item.name: item for item in page.items}
        self.rv = page.rv
        self.watch: Watch = server.watch(CONFIG_MAPS, labels=selector, resource_version=str(page.rv))

    def follow(self) -> None:
        """Take what has come; each event fits what was there, and versions rise."""
        for event in self.watch.take():
            name = event.object.name
            assert event.object.rv > self.rv
            self.rv = event.object.rv
            assert (event.type is EventKind.ADDED) is (name not in self.state)
            if event.type is EventKind.DELETED:
                del self.state[name]
            else:
                self.state[name] = event.object


class Laws(RuleBasedStateMachine):
    """Clients write whatever they like."""

    @initialize()
    def begin(self) -> None:
        """A server with a namespace, and one who follows everything."""
        self.server = ApiServer(entropy=random.Random(1).randbytes, history=0)
        self.server.create(NAMESPACES, "", {"metadata": {"name": NS}}, actor="t", now=NOW)
        self.followers = [Follower(self.server, "")]

    def attempt(self, write: Any) -> None:
        """Make a write. It is one log entry, or none and no new version; refused: nothing has happened."""
        before, entries = self.server.rv, len(self.server.log)
        try:
            changed = write()
        except ApiError:
            changed = False
        assert self.server.rv == before + bool(changed)
        assert len(self.server.log) == entries + bool(changed)
        if changed:
            assert self.server.log[-1].rv == self.server.rv

    @rule(name=NAMES, data=DATA, labels=LABELS, finalizers=HOLDS)
    def create(self, name: str, data: Any, labels: Any, finalizers: Any) -> None:
        """Create an object."""
        metadata = {"name": name, "labels": labels, "finalizers": finalizers}
        value = {"metadata": metadata, "data": data}
        self.attempt(lambda: self.server.create(CONFIG_MAPS, NS, value, actor="t", now=NOW).changed)

    @rule(name=NAMES, data=DATA, labels=LABELS, stale=st.booleans())
    def update(self, name: str, data: Any, labels: Any, stale: bool) -> None:
        """Replace one, perhaps with an old version in hand."""
        metadata = {"name": name, "labels": labels, **({"resourceVersion": "1"} if stale else {})}
        value = {"metadata": metadata, "data": data}
        self.attempt(lambda: self.server.update(CONFIG_MAPS, NS, name, value, actor="t", now=NOW).changed)

    @rule(name=NAMES, data=DATA, finalizers=HOLDS, dry=st.booleans())
    def patch(self, name: str, data: Any, finalizers: Any, dry: bool) -> None:
        """Merge a patch; a dry run does nothing."""
        patch = {"metadata": {"finalizers": finalizers}, "data": data}
        self.attempt(
            lambda: (
                self.server.patch(
                    CONFIG_MAPS, NS, name, patch,
                    content_type=patches.MERGE_PATCH, actor="t", now=NOW, dry_run=dry,
                ).changed
                and not dry
            )
        )  # fmt: skip

    @rule(name=NAMES, data=DATA, manager=st.sampled_from(["m", "n"]), force=st.booleans())
    def apply(self, name: str, data: Any, manager: str, force: bool) -> None:
        """Server-side apply."""
        value = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}
        self.attempt(
            lambda: self.server.apply(
                CONFIG_MAPS, NS, name, value, manager=manager, actor="t", now=NOW, force=force
            ).changed
        )

    @rule(name=NAMES, policy=st.sampled_from(["", "Background"]))
    def delete(self, name: str, policy: str) -> None:
        """Delete one; while it waits for a finalizer, again is no write."""

        def write() -> bool:
            old = self.server.get(CONFIG_MAPS, NS, name)
            gone = self.server.delete(CONFIG_MAPS, NS, name, actor="t", now=NOW, propagation=policy)
            return gone.gone or not old.deleting

        self.attempt(write)

    @precondition(lambda self: len(self.followers) < 6)
    @rule(selector=SELECTORS)
    def join(self, selector: str) -> None:
        """Somebody else begins to follow."""
        self.followers.append(Follower(self.server, selector))

    @rule(behind=st.integers(0, 30), selector=SELECTORS)
    def replay(self, behind: int, selector: str) -> None:
        """A watch from an earlier version shows what one from then on has seen, event by event."""
        start = max(1, self.server.rv - behind, self.server.statistics().compacted)
        page = self.server.list(CONFIG_MAPS, labels=selector, resource_version=str(start), match="Exact")
        state = {item.name: item for item in page.items}
        watch = self.server.watch(CONFIG_MAPS, labels=selector, resource_version=str(start))
        events = watch.take()
        watch.close()
        assert [event.object.rv for event in events] == sorted({event.object.rv for event in events})
        if not selector:
            log = [entry for entry in self.server.log if entry.resource == CONFIG_MAPS and entry.rv > start]
            assert [(event.object.rv, event.type) for event in events] == [
                (entry.rv, KINDS[entry.verb]) for entry in log
            ]
        for event in events:
            assert (event.type is EventKind.ADDED) is (event.object.name not in state)
            if event.type is EventKind.DELETED:
                del state[event.object.name]
            else:
                state[event.object.name] = event.object
        now = self.server.list(CONFIG_MAPS, labels=selector).items
        assert {name: item.rv for name, item in state.items()} == {item.name: item.rv for item in now}

    @rule(limit=st.integers(1, 2), selector=SELECTORS)
    def pages(self, limit: int, selector: str) -> None:
        """The pages of a list are together the whole list, all of one version."""
        whole = self.server.list(CONFIG_MAPS, labels=selector)
        page = self.server.list(CONFIG_MAPS, labels=selector, limit=limit)
        found = [*page.items]
        while page.continue_token:
            token = page.continue_token
            page = self.server.list(CONFIG_MAPS, labels=selector, limit=limit, continue_token=token)
            assert page.rv == whole.rv
            found += page.items
        assert [item.name for item in found] == [item.name for item in whole.items]

    @rule()
    def compact(self) -> None:
        """Forget the past: who asks for it is told so, and who is up to date goes on."""
        for follower in self.followers:
            follower.follow()
        self.server.compact(self.server.rv)
        if self.server.rv > 1:
            try:
                self.server.watch(CONFIG_MAPS, resource_version="1")
            except Expired:
                return
            raise AssertionError("a watch from what was forgotten")

    @invariant()
    def lists_and_watches_agree(self) -> None:
        """What a follower knows is what a list shows."""
        for follower in getattr(self, "followers", ()):
            follower.follow()
            listed = self.server.list(CONFIG_MAPS, labels=follower.selector).items
            assert {item.name: item.rv for item in listed} == {
                name: item.rv for name, item in follower.state.items()
            }


KINDS = {Verb.CREATE: EventKind.ADDED, Verb.UPDATE: EventKind.MODIFIED, Verb.DELETE: EventKind.DELETED}

TestLaws = Laws.TestCase
TestLaws.settings = settings(deadline=None, derandomize=True, max_examples=40, stateful_step_count=30)
