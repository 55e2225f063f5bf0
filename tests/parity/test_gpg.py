"""Test_GPGKey_*: the hub's keys are every managed agent's."""

from __future__ import annotations

from typing import Any

from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import CONFIG_MAPS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.testing.argocd.repositories import GPG_KEYS, gpg_keys

from .play import play
from .stage import Side, Stage, find

FIRST, SECOND = {"A1": "-----BEGIN 1-----"}, {"B2": "-----BEGIN 2-----"}


async def on_spoke(side: Side) -> Object | None:
    """The copy."""
    return await find(side.cluster, CONFIG_MAPS, side.namespace, GPG_KEYS)


async def shows(stage: Stage, side: Side, keys: dict[str, str]) -> Object:
    """Wait until this side has just these keys."""

    async def there() -> bool:
        copy = await on_spoke(side)
        return copy is not None and copy.get("data") == keys

    await stage.until(there)
    await stage.agree()
    copy = await on_spoke(side)
    assert copy is not None
    return copy


async def prepared(stage: Stage) -> Side:
    """One key, in step."""
    await stage.hub.create(CONFIG_MAPS, gpg_keys(namespace=stage.namespace, **FIRST))
    await shows(stage, stage.side, FIRST)
    return stage.side


async def edit(side: Side, value: Any) -> None:
    """Merge into the copy."""
    await side.cluster.patch(CONFIG_MAPS, side.namespace, GPG_KEYS, MergePatch(value))


def test_gpgkey_managed() -> None:
    """Test_GPGKey_Managed: it comes, and goes with the hub's."""

    async def story(stage: Stage) -> None:
        side = await prepared(stage)
        await stage.hub.delete(CONFIG_MAPS, stage.namespace, GPG_KEYS)

        async def gone() -> bool:
            return await on_spoke(side) is None

        await stage.until(gone)
        await stage.agree()

    play(story)


def test_gpgkey_add_multiple_keys() -> None:
    """Test_GPGKey_AddMultipleKeys."""

    async def story(stage: Stage) -> None:
        side = await prepared(stage)
        await stage.hub.patch(CONFIG_MAPS, stage.namespace, GPG_KEYS, MergePatch({"data": SECOND}))
        await shows(stage, side, FIRST | SECOND)

    play(story)


def test_gpgkey_revert_local_change() -> None:
    """Test_GPGKey_RevertLocalChange."""

    async def story(stage: Stage) -> None:
        side = await prepared(stage)
        await edit(side, {"data": SECOND})
        await shows(stage, side, FIRST)

    play(story)


def test_gpgkey_revert_local_deletion() -> None:
    """Test_GPGKey_RevertLocalDeletion."""

    async def story(stage: Stage) -> None:
        side = await prepared(stage)
        await side.cluster.delete(CONFIG_MAPS, side.namespace, GPG_KEYS)
        await shows(stage, side, FIRST)

    play(story)


def test_gpgkey_use_and_update_preexisting_configmap() -> None:
    """Test_GPGKey_UseAndUpdatePreExistingConfigMap: what Argo CD installed there is taken as it is."""

    async def story(stage: Stage) -> None:
        side = stage.side
        before = await side.cluster.create(CONFIG_MAPS, gpg_keys(namespace=side.namespace))
        await prepared(stage)
        after = await shows(stage, side, FIRST)
        assert after.meta.uid == before.meta.uid
        await stage.hub.delete(CONFIG_MAPS, stage.namespace, GPG_KEYS)
        await stage.hub.create(CONFIG_MAPS, gpg_keys(namespace=stage.namespace, **SECOND))
        await shows(stage, side, SECOND)

    play(story)
