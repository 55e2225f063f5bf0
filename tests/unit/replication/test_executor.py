"""Every answer an API server can give, at every step."""

from __future__ import annotations

import pytest

from trio_argoagent import errors
from trio_argoagent.model.objects import Object
from trio_argoagent.model.records import Outcome
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.replication.executor import MAX_AFTER, MAX_STEPS, TryLater
from trio_argoagent.sync import steps

from .world import NAMESPACE, Label, Steps, World, open_world

VERBS = ("create", "patch", "delete")


class Careful:
    """Create, then label, then delete: each step follows from what is there."""

    def __init__(self, until: str) -> None:
        self.until, self.deleted = until, False

    def step(self, live: Object | None) -> steps.Step:
        """See ``Plan``."""
        if live is None:
            return steps.APPLIED if self.deleted else Label("x").step(None)
        if self.until == "create":
            return steps.APPLIED
        if live.labels.get("our") != "y":
            return Label("y").step(live)
        if self.until == "patch":
            return steps.APPLIED
        self.deleted = True
        return steps.Delete(live.meta.uid, live.meta.resource_version, final=True)

    def wrote(self, step: steps.Step, obj: Object) -> None:
        """See ``Plan``."""


async def run(world: World, plan: Careful | Label | Steps) -> steps.Done | TryLater:
    """Let the world's executor bring this about on the one object."""
    return await world.executor.bring_about(NAMESPACE, "web", plan)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("cls", [errors.Throttled, errors.Unavailable])
async def test_not_now(verb: str, cls: type[errors.ApiError]) -> None:
    """A server that cannot now is asked again later, when it says so; nothing is answered."""
    async with open_world() as world:
        world.script.refuse(verb, cls("busy", retry_after=3.0))
        assert await run(world, Careful(verb)) == TryLater(3.0, "busy")
        assert await run(world, Careful(verb)) == steps.APPLIED


async def test_an_absurd_retry_after_is_bounded() -> None:
    """A proxy that asks for a day does not get it."""
    async with open_world() as world:
        world.script.refuse("create", errors.Throttled("busy", retry_after=86_400.0))
        assert await run(world, Careful("create")) == TryLater(MAX_AFTER, "busy")


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("cls", [errors.Forbidden, errors.Unauthorized])
async def test_not_allowed(verb: str, cls: type[errors.ApiError]) -> None:
    """What we may not do is pending: an operator can change it."""
    async with open_world() as world:
        world.script.refuse(verb, cls("no"))
        assert await run(world, Careful(verb)) == steps.pending("no")


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("cls", [errors.BadRequest, errors.Invalid, errors.MethodNotAllowed])
async def test_not_acceptable(verb: str, cls: type[errors.ApiError]) -> None:
    """What the server will never take, although nothing has changed, is rejected with its words."""
    async with open_world() as world:
        world.script.refuse(verb, cls("nonsense"))
        assert await run(world, Careful(verb)) == steps.Done(Outcome.REJECTED, "nonsense")


@pytest.mark.parametrize("verb", VERBS)
async def test_too_large(verb: str) -> None:
    """An object beyond the server's limit (413) is refused in its words; nothing is tried over and over."""
    async with open_world() as world:
        large = errors.ApiError("limit is 3145728", code=413, reason="RequestEntityTooLarge")
        world.script.refuse(verb, large)
        assert await run(world, Careful(verb)) == steps.Done(Outcome.REJECTED, str(large))


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("cls", [errors.Conflict, errors.AlreadyExists, errors.Expired])
async def test_lost_race(verb: str, cls: type[errors.ApiError]) -> None:
    """A lost race is run again, at once."""
    async with open_world() as world:
        world.script.refuse(verb, cls("somebody was faster"))
        assert await run(world, Careful(verb)) == steps.APPLIED


@pytest.mark.parametrize("verb", VERBS)
async def test_outcome_unknown_and_done(verb: str) -> None:
    """A write whose answer was lost is looked for, and not repeated where it was done."""
    async with open_world() as world:
        world.script.lose(verb, errors.OutcomeUnknown("no answer"))
        assert await run(world, Careful(verb)) == steps.APPLIED
        assert world.script.calls.count(verb) == 1


@pytest.mark.parametrize("verb", VERBS)
async def test_outcome_unknown_and_not_done(verb: str) -> None:
    """A write that never arrived is repeated."""
    async with open_world() as world:
        world.script.refuse(verb, errors.OutcomeUnknown("no answer"))
        assert await run(world, Careful(verb)) == steps.APPLIED
        assert world.script.calls.count(verb) == 2


@pytest.mark.parametrize(
    "error",
    [
        errors.Unavailable("away", retry_after=2.0),
        errors.Forbidden("no"),
        errors.OutcomeUnknown("lost"),
        errors.RemoteProtocolError("not a Kubernetes object"),
    ],
)
async def test_the_object_cannot_be_read_again(error: Exception) -> None:
    """After a lost race and a failed look nothing is known, so nothing is answered."""
    async with open_world() as world:
        world.script.refuse("create", errors.Conflict("somebody was faster"))
        world.script.refuse("get", error)
        done = await run(world, Careful("create"))
        assert done == TryLater(2.0 if isinstance(error, errors.Unavailable) else None, str(error))


async def test_an_unreadable_answer_is_not_the_records_fault() -> None:
    """What the API server garbles is tried again and never held against whoever sent the record."""
    async with open_world() as world:
        world.script.refuse("patch", errors.RemoteProtocolError("not a Kubernetes object"))
        assert await run(world, Careful("patch")) == TryLater(None, "not a Kubernetes object")


async def test_a_missing_namespace_is_pending() -> None:
    """It may come."""
    async with open_world() as world:
        world.script.refuse("create", errors.NotFound("namespaces argocd not found"))
        assert await run(world, Careful("create")) == steps.pending("namespaces argocd not found")


async def test_a_resource_that_is_not_served_says_nothing_of_the_object() -> None:
    """404 without a name: the definition is away, and the object may well be there when it comes back."""
    async with open_world() as world:
        await world.add()
        unserved = errors.NotFound("the server could not find the requested resource")
        world.script.refuse("patch", unserved)
        world.script.refuse("get", unserved)
        assert await run(world, Label("x")) == TryLater(None, unserved.message)
        assert world.known.get(NAMESPACE, "web") is not None
        assert await run(world, Label("x")) == steps.APPLIED


async def test_gone_meanwhile() -> None:
    """An object that somebody deleted under our hands is planned anew as absent."""
    async with open_world() as world:
        await world.add()
        await world.users.delete(APPLICATIONS, NAMESPACE, "web")
        assert await run(world, Label("x")) == steps.APPLIED
        assert world.now().labels["our"] == "x"


async def test_a_stale_view_is_read_again() -> None:
    """A precondition that fails because the informer lags costs one look, not a rejection."""
    async with open_world() as world:
        await world.add()
        await world.edit(their="1")
        plan = Label("x")
        assert await run(world, plan) == steps.APPLIED
        assert (world.now().labels["our"], world.now().labels["their"]) == ("x", "1")


async def test_no_fight_takes_a_worker_for_ever() -> None:
    """After MAX_STEPS steps it waits its turn again."""
    async with open_world() as world:
        await world.add()
        version = world.now().meta.resource_version
        change = steps.map_changes("labels", None, {"n": "1"})
        plan = Steps(*[steps.Patch(change)] * (MAX_STEPS + 5))
        assert isinstance(await run(world, plan), TryLater)
        assert len(plan.seen) == MAX_STEPS
        assert world.script.calls.count("patch") == MAX_STEPS
        assert int(world.now().meta.resource_version) >= int(version)


async def test_each_step_sees_the_answer_of_the_one_before() -> None:
    """The informer need not have heard of it."""
    async with open_world() as world:
        plan = Careful("delete")
        assert await run(world, plan) == steps.APPLIED
        assert world.script.calls == ["create", "patch", "delete"]
        assert world.known.get(NAMESPACE, "web") is None
