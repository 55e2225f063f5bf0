"""Notes that the hub's own controllers keep on mirrors: argocd-agent #1058 and #1059."""

from __future__ import annotations

import attrs

from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.runtime.config import PrincipalConfig
from trio_argoagent.sync import names
from trio_argoagent.sync.policy import Local

from .play import play
from .stage import Stage

NOTES = {names.NOTIFIED: '{"sent": 1}', "example.com/note": "mine"}


def _keeping_notes(config: PrincipalConfig) -> PrincipalConfig:
    return attrs.evolve(config, local=Local(("example.com/*",), ("team",)))


def test_s1058_notes_on_a_mirror_stay() -> None:
    """A naive principal replaces all annotations at each update, and every notification is sent again."""

    async def story(stage: Stage) -> None:
        side = stage.side
        await side.create("guestbook", cascade=False, metadata={"annotations": {"a": "1"}})
        await stage.agree()
        note = {"metadata": {"annotations": NOTES, "labels": {"team": "hub"}}}
        await stage.hub.patch(APPLICATIONS, side.name, "guestbook", MergePatch(note))
        await side.edit_on_spoke("guestbook", {"metadata": {"annotations": {"a": "2"}}})

        async def updated() -> bool:
            mirror = await side.on_hub("guestbook")
            return mirror is not None and mirror.annotations.get("a") == "2"

        await stage.until(updated)
        mirror, own = await side.on_hub("guestbook"), await side.on_spoke("guestbook")
        assert mirror is not None and NOTES.items() <= mirror.annotations.items()
        assert mirror.labels == {"team": "hub"}
        assert own is not None and not own.labels and names.NOTIFIED not in own.annotations

    play(story, autonomous=("edge",), principal=_keeping_notes)
