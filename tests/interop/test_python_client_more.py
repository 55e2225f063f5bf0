"""The official Python client beyond plain objects: apply, definitions, pages, leases, reviews, watches."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from trio_argoagent.model.resources import CONFIG_MAPS

from ..unit.apiserver.http.world import TOKEN, World, served

PATIENCE = 90.0
"""Seconds that a conversation may take."""


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A fresh server."""
    async with served() as made:
        yield made


@pytest.fixture
def talk(world: World, tmp_path: Path) -> Callable[[Callable[[Any], None]], Any]:
    """Lets a function talk to the server in a thread, with an official client."""

    @contextmanager
    def client() -> Iterator[Any]:
        from kubernetes import config

        with config.new_client_from_config_dict(
            json.loads(world.kubeconfig()), temp_file_path=str(tmp_path)
        ) as made:
            yield made

    async def run(conversation: Callable[[Any], None]) -> None:
        def within() -> None:
            with client() as made:
                conversation(made)

        with trio.fail_after(PATIENCE):
            await trio.to_thread.run_sync(within)

    return run


def config_map(**data: str) -> dict[str, Any]:
    """What is applied."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c1"}, "data": data}


async def test_server_side_apply(talk: Any) -> None:
    """The dynamic client applies, conflicts, forces; typed models read the managed fields."""

    def conversation(client: Any) -> None:
        from kubernetes.client import CoreV1Api
        from kubernetes.dynamic import DynamicClient
        from kubernetes.dynamic.exceptions import ConflictError

        maps = DynamicClient(client).resources.get(api_version="v1", kind="ConfigMap")

        def apply(manager: str, value: dict[str, Any], **more: Any) -> Any:
            return maps.server_side_apply(
                body=value, name="c1", namespace="default", field_manager=manager, **more
            )

        apply("ann", config_map(a="1", b="1"))
        with pytest.raises(ConflictError) as refused:
            apply("bob", config_map(a="2"))
        (cause,) = json.loads(refused.value.body)["details"]["causes"]
        assert (cause["reason"], cause["field"]) == ("FieldManagerConflict", ".data.a")
        assert apply("bob", config_map(a="2"), force_conflicts=True).data.to_dict() == {"a": "2", "b": "1"}
        read = CoreV1Api(client).read_namespaced_config_map("c1", "default")
        assert [(e.manager, e.operation) for e in read.metadata.managed_fields] == [
            ("ann", "Apply"),
            ("bob", "Apply"),
        ]

    await talk(conversation)


async def test_a_definition_of_ones_own(talk: Any) -> None:
    """A typed CustomResourceDefinition: its kind is validated, defaulted and pruned at once."""

    def conversation(client: Any) -> None:
        from kubernetes.client import ApiException, ApiextensionsV1Api, CustomObjectsApi

        schema = {
            "type": "object",
            "properties": {
                "spec": {
                    "type": "object",
                    "required": ["size"],
                    "properties": {
                        "size": {"type": "integer", "minimum": 1},
                        "colour": {"type": "string", "default": "red", "enum": ["red", "blue"]},
                        "port": {"x-kubernetes-int-or-string": True},
                        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                    },
                }
            },
        }
        version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
        names = {"plural": "widgets", "kind": "Widget"}
        spec = {"group": "example.com", "scope": "Namespaced", "names": names, "versions": [version]}
        extensions, custom = ApiextensionsV1Api(client), CustomObjectsApi(client)
        made = extensions.create_custom_resource_definition(
            {
                "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
                "metadata": {"name": "widgets.example.com"}, "spec": spec,
            }
        )  # fmt: skip
        assert made.spec.names.singular == "widget"
        place = ("example.com", "v1", "default", "widgets")

        def create(name: str, **fields: Any) -> Any:
            head = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": name}}
            return custom.create_namespaced_custom_object(*place, {**head, "spec": fields})

        stored = create("w1", size=1, port="http", free={"any": [1]}, unknown=True)
        assert stored["spec"] == {"size": 1, "colour": "red", "port": "http", "free": {"any": [1]}}
        for bad in ({"size": 0}, {"size": "1"}, {}, {"size": 1, "colour": "green"}):
            with pytest.raises(ApiException) as refused:
                create("w2", **bad)
            assert refused.value.status == 422
        extensions.delete_custom_resource_definition("widgets.example.com")

    await talk(conversation)


async def test_pages(talk: Any, world: World) -> None:
    """A typed list page by page; a token that has expired is 410 with a fresh one."""
    for number in range(5):
        value = {"metadata": {"name": f"c{number}"}}
        world.server.create(CONFIG_MAPS, "default", value, actor="t", now=0)

    def conversation(client: Any) -> None:
        from kubernetes.client import ApiException, CoreV1Api

        core = CoreV1Api(client)
        first = core.list_namespaced_config_map("default", limit=2)
        assert first.metadata.remaining_item_count == 3
        token = first.metadata._continue
        second = core.list_namespaced_config_map("default", limit=2, _continue=token)
        assert [item.metadata.name for item in second.items] == ["c2", "c3"]
        core.patch_namespaced_config_map("c4", "default", {"data": {"k": "v"}})
        trio.from_thread.run_sync(lambda: world.server.compact(world.server.rv))
        with pytest.raises(ApiException) as gone:
            core.list_namespaced_config_map("default", limit=2, _continue=token)
        assert gone.value.status == 410
        fresh = json.loads(gone.value.body)["metadata"]["continue"]
        rest = core.list_namespaced_config_map("default", _continue=fresh)
        assert [item.metadata.name for item in rest.items] == ["c2", "c3", "c4"]

    await talk(conversation)


async def test_leases_and_reviews(talk: Any) -> None:
    """Typed times of a Lease survive; whose token, and who may what."""

    def conversation(client: Any) -> None:
        from datetime import UTC, datetime

        from kubernetes import client as models

        leases = models.CoordinationV1Api(client)
        now = datetime(2026, 1, 2, 3, 4, 5, 678900, tzinfo=UTC)
        spec = models.V1LeaseSpec(holder_identity="me", lease_duration_seconds=15, renew_time=now)
        lease = models.V1Lease(metadata=models.V1ObjectMeta(name="l1"), spec=spec)
        leases.create_namespaced_lease("default", lease)
        assert leases.read_namespaced_lease("l1", "default").spec.renew_time == now
        token = models.V1TokenReview(spec=models.V1TokenReviewSpec(token=TOKEN))
        review = models.AuthenticationV1Api(client).create_token_review(token)
        assert (review.status.authenticated, review.status.user.username) == (True, "alice")
        attributes = models.V1ResourceAttributes(verb="get", resource="secrets")
        access = models.V1SelfSubjectAccessReview(
            spec=models.V1SelfSubjectAccessReviewSpec(resource_attributes=attributes)
        )
        found = models.AuthorizationV1Api(client).create_self_subject_access_review(access)
        assert found.status.allowed is True

    await talk(conversation)


async def test_events_of_both_groups(talk: Any) -> None:
    """Typed in the newer group, read in the core group, selected by the names of each."""

    def conversation(client: Any) -> None:
        from datetime import UTC, datetime

        from kubernetes import client as models

        new, core = models.EventsV1Api(client), models.CoreV1Api(client)
        subject = models.V1ObjectReference(kind="ConfigMap", name="c1", namespace="default")
        event = models.EventsV1Event(
            metadata=models.V1ObjectMeta(name="e1"), event_time=datetime(2026, 1, 2, tzinfo=UTC),
            reporting_controller="example.com/me", reporting_instance="me-1", action="Tried",
            reason="Trying", type="Normal", regarding=subject, note="it was tried",
        )  # fmt: skip
        made = new.create_namespaced_event("default", event)
        assert (made.note, made.regarding.name) == ("it was tried", "c1")
        (read,) = core.list_namespaced_event("default", field_selector="involvedObject.name=c1").items
        assert (read.message, read.metadata.uid) == ("it was tried", made.metadata.uid)
        chosen = new.list_namespaced_event("default", field_selector="regarding.name=other").items
        assert chosen == []

    await talk(conversation)


async def test_a_watch_from_what_is_forgotten(talk: Any, world: World) -> None:
    """The official Watch raises 410, as with a real server."""
    for number in range(2):
        value = {"metadata": {"name": f"c{number}"}}
        world.server.create(CONFIG_MAPS, "default", value, actor="t", now=0)
    world.server.compact(world.server.rv)

    def conversation(client: Any) -> None:
        from kubernetes.client import ApiException, CoreV1Api
        from kubernetes.watch import Watch

        core = CoreV1Api(client)
        with pytest.raises(ApiException) as gone:
            for _ in Watch().stream(core.list_namespaced_config_map, "default", resource_version="1"):
                raise AssertionError("an event from before")
        assert gone.value.status == 410

    await talk(conversation)


async def test_deleting_many(talk: Any) -> None:
    """A collection by its labels, with a typed answer."""

    def conversation(client: Any) -> None:
        from kubernetes.client import CoreV1Api

        core = CoreV1Api(client)
        for name, team in (("c1", "a"), ("c2", "a"), ("c3", "b")):
            metadata = {"name": name, "labels": {"team": team}}
            core.create_namespaced_config_map("default", {"metadata": metadata})
        core.delete_collection_namespaced_config_map("default", label_selector="team=a")
        assert [item.metadata.name for item in core.list_namespaced_config_map("default").items] == ["c3"]

    await talk(conversation)
