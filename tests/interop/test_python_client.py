"""The official Python client, HTTP/1.1 and typed models, against the embedded server."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from trio_argoagent.model.resources import APPLICATIONS

from ..unit.apiserver.http.world import World, served

CUSTOM = ("argoproj.io", "v1alpha1", "default", "applications")
APPLICATION: dict[str, Any] = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Application",
    "metadata": {"name": "a1"},
    "spec": {"project": "default", "destination": {"name": "in-cluster", "namespace": "x"}},
}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A fresh server."""
    async with served() as made:
        yield made


@pytest.fixture
def api(world: World, tmp_path: Path) -> Callable[[], Any]:
    """Opens the official client with our kubeconfig."""

    @contextmanager
    def opened() -> Iterator[Any]:
        from kubernetes import config

        with config.new_client_from_config_dict(
            json.loads(world.kubeconfig()), temp_file_path=str(tmp_path)
        ) as client:
            yield client

    return opened


async def test_custom_objects(world: World, api: Callable[[], Any]) -> None:
    """Create, get, replace, patch, list, delete, and what it raises."""

    def run() -> None:
        from kubernetes.client import ApiException, CustomObjectsApi

        with api() as client:
            custom = CustomObjectsApi(client)
            made = custom.create_namespaced_custom_object(*CUSTOM, APPLICATION)
            assert made["metadata"]["generation"] == 1
            patched = custom.patch_namespaced_custom_object(*CUSTOM, "a1", {"spec": {"project": "p"}})
            assert patched["spec"]["project"] == "p"
            with pytest.raises(ApiException) as stale:
                custom.replace_namespaced_custom_object(*CUSTOM, "a1", made)
            assert stale.value.status == 409
            listed = custom.list_namespaced_custom_object(*CUSTOM, limit=1)
            assert listed["items"] == [custom.get_namespaced_custom_object(*CUSTOM, "a1")]
            assert custom.delete_namespaced_custom_object(*CUSTOM, "a1")["status"] == "Success"
            with pytest.raises(ApiException) as gone:
                custom.get_namespaced_custom_object(*CUSTOM, "a1")
            assert json.loads(gone.value.body)["reason"] == "NotFound"

    with trio.fail_after(90):
        await trio.to_thread.run_sync(run)
    assert [entry.actor for entry in world.server.log[-3:]] == ["alice"] * 3


async def test_core_objects(api: Callable[[], Any]) -> None:
    """Typed models go both ways."""

    def run() -> None:
        from kubernetes.client import CoreV1Api, V1ConfigMap, V1ObjectMeta, V1Secret, VersionApi

        with api() as client:
            assert VersionApi(client).get_code().major == "1"
            core = CoreV1Api(client)
            space = core.create_namespace({"metadata": {"name": "demo"}})
            assert space.status.phase == "Active"
            secret = V1Secret(metadata=V1ObjectMeta(name="s1", labels={"a": "b"}), string_data={"k": "v"})
            assert core.create_namespaced_secret("demo", secret).data == {"k": "dg=="}
            changed = core.patch_namespaced_secret("s1", "demo", {"metadata": {"labels": {"c": "d"}}})
            assert changed.metadata.labels == {"a": "b", "c": "d"}
            core.create_namespaced_config_map("demo", V1ConfigMap(metadata=V1ObjectMeta(name="c1")))
            found = core.list_namespaced_secret("demo", label_selector="a=b").items
            assert [item.metadata.name for item in found] == ["s1"]
            core.delete_namespaced_secret("s1", "demo")
            assert core.list_namespaced_secret("demo").items == []
            core.delete_namespace("demo")

    with trio.fail_after(90):
        await trio.to_thread.run_sync(run)


async def test_watch(world: World, api: Callable[[], Any]) -> None:
    """``watch.Watch`` sees what is there and what comes."""
    seen: list[tuple[str, str]] = []
    first = trio.Event()

    def run() -> None:
        from kubernetes.client import CustomObjectsApi
        from kubernetes.watch import Watch

        with api() as client:
            custom, watch = CustomObjectsApi(client), Watch()
            for event in watch.stream(
                custom.list_namespaced_custom_object, *CUSTOM, timeout_seconds=20
            ):  # fmt: skip
                seen.append((event["type"], event["object"]["metadata"]["name"]))
                trio.from_thread.run_sync(first.set)
                if event["type"] == "DELETED":
                    watch.stop()

    server = world.server
    server.create(APPLICATIONS, "default", APPLICATION, actor="test", now=0)
    with trio.fail_after(90):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.to_thread.run_sync, run)
            await first.wait()
            server.delete(APPLICATIONS, "default", "a1", actor="test", now=0)
    assert seen == [("ADDED", "a1"), ("DELETED", "a1")]


async def test_dynamic_client(api: Callable[[], Any]) -> None:
    """The client that lives by discovery finds every kind."""

    def run() -> None:
        from kubernetes.dynamic import DynamicClient

        with api() as client:
            dynamic = DynamicClient(client)
            apps = dynamic.resources.get(api_version="argoproj.io/v1alpha1", kind="Application")
            assert apps.create(body=APPLICATION, namespace="default").metadata.name == "a1"
            spaces = dynamic.resources.get(api_version="v1", kind="Namespace").get().items
            assert "default" in [space.metadata.name for space in spaces]

    with trio.fail_after(90):
        await trio.to_thread.run_sync(run)
