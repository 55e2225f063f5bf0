"""Test_ApplicationIsAdoptedIfExists, Test_ApplicationIsNotAdoptedIfPolicyIsNever."""

from __future__ import annotations

import attrs

from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.runtime.config import AgentConfig
from trio_argoagent.sync import conditions, names, policy
from trio_argoagent.testing.argocd.applications import application

from .play import play
from .stage import Side, Stage


async def _existing(side: Side) -> str:
    """An Application that the spoke has already; returns its uid."""
    spec = {"source": {"repoURL": "https://example.com/elsewhere", "path": ".", "targetRevision": "v9"}}
    made = await side.cluster.create(
        APPLICATIONS, application("guestbook", namespace=side.namespace, cascade=False, **spec)
    )
    return made.meta.uid


def test_application_is_adopted_if_exists() -> None:
    """It becomes the copy, in place: the same object, with the hub's spec and our stamps."""

    async def story(stage: Stage) -> None:
        side = stage.side
        uid = await _existing(side)
        made = await side.create("guestbook", cascade=False)
        await stage.agree()
        copy = await side.on_spoke("guestbook")
        assert copy is not None and copy.meta.uid == uid
        assert copy.annotations[names.SOURCE_UID] == made.meta.uid
        assert copy.get("spec")["source"] == made.get("spec")["source"]

    play(story)


def _never(config: AgentConfig) -> AgentConfig:
    return attrs.evolve(config, policies=policy.Policies(adoption=policy.Adoption.NEVER))


def test_application_is_not_adopted_if_policy_is_never() -> None:
    """The hub's says why, the spoke's is left alone; its own annotation, or its end, settles it."""

    async def story(stage: Stage) -> None:
        side = stage.side
        uid = await _existing(side)
        before = await side.on_spoke("guestbook")
        await side.create("guestbook", cascade=False)

        async def refused() -> bool:
            app = await side.on_hub("guestbook")
            return app is not None and policy.NOT_ADOPTED in conditions.said(app.get("status") or {})

        await stage.until(refused)
        found = await side.on_spoke("guestbook")
        assert before is not None and found is not None
        assert (found.meta.uid, found.get("spec")) == (uid, before.get("spec"))
        assert names.SOURCE_UID not in found.annotations
        consent = MergePatch({"metadata": {"annotations": {names.ADOPTION_POLICY: "always"}}})
        await side.cluster.patch(APPLICATIONS, side.namespace, "guestbook", consent)
        await stage.agree()
        copy = await side.on_spoke("guestbook")
        assert copy is not None and copy.meta.uid == uid

        async def settled() -> bool:
            return not await refused()

        await stage.until(settled)

    play(story, agent=_never)
