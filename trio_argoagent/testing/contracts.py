"""What every ``Cluster`` must do: one suite for the embedded server and for real ones.

Make a subclass in a test module with a ``cluster`` fixture, and pytest collects it:

    class TestMine(ClusterContract):
        @pytest.fixture
        async def cluster(self): ...

The cluster must serve Argo CD's definitions and have a namespace controller. Nothing is assumed about what
else is in it: each test makes a namespace of its own. Needs pytest and pytest-trio; tell pytest to rewrite
the assertions (``pytest.register_assert_rewrite``).
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import pytest
import trio

from trio_argoagent.errors import (
    AlreadyExists,
    ApiError,
    BadRequest,
    Conflict,
    Expired,
    Invalid,
    NotFound,
)
from trio_argoagent.model import rv
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APPLICATIONS, CONFIG_MAPS, NAMESPACES, SECRETS
from trio_argoagent.ports.cluster import (
    Cluster,
    EventType,
    JsonPatch,
    MergePatch,
    WatchEvent,
    ends_initial_events,
)

PATIENCE: Final = 60.0  # seconds that any wait of a test may take

_FINALIZER: Final = "contract.example.com/wait"
_DESTINATION: Final = {"server": "https://kubernetes.default.svc", "namespace": "default"}


def application(
    namespace: str, name: str = "a1", *, metadata: Mapping[str, Any] | None = None, **fields: Any
) -> dict[str, Any]:
    """A small valid Application; ``fields`` are further top-level ones."""
    return {
        "apiVersion": APPLICATIONS.api_version,
        "kind": APPLICATIONS.kind,
        "metadata": {"name": name, "namespace": namespace, **(metadata or {})},
        "spec": {"project": "default", "destination": _DESTINATION},
        **fields,
    }


def secret(namespace: str, **fields: Any) -> dict[str, Any]:
    """A Secret called ``s1``."""
    head = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s1", "namespace": namespace}}
    return head | fields


async def take(events: AsyncIterator[WatchEvent], count: int) -> list[WatchEvent]:
    """The next events that are not bookmarks."""
    taken: list[WatchEvent] = []
    with trio.fail_after(PATIENCE):
        while len(taken) < count:
            event = await anext(events)
            if event.type is not EventType.BOOKMARK:
                taken.append(event)
    return taken


async def initial(events: AsyncIterator[WatchEvent]) -> tuple[list[WatchEvent], str]:
    """The initial events of a watch, and the version they are the state of."""
    seen: list[WatchEvent] = []
    with trio.fail_after(PATIENCE):
        while True:
            event = await anext(events)
            if ends_initial_events(event):
                return seen, event.object.meta.resource_version
            seen.append(event)


def shapes(events: list[WatchEvent]) -> list[tuple[str, str]]:
    """Types and names, for comparing."""
    return [(event.type.value, event.object.meta.name) for event in events]


def fields_of(error: ApiError) -> list[str]:
    """The fields that an Invalid names."""
    return [cause.get("field", "") for cause in error.details.get("causes", ())]


class ClusterContract:
    """The suite. A subclass provides the ``cluster`` fixture."""

    @pytest.fixture
    async def namespace(self, cluster: Cluster) -> AsyncIterator[str]:
        """A fresh namespace, deleted afterwards."""
        made = await cluster.create(
            NAMESPACES,
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"generateName": "contract-"}},
        )
        yield made.meta.name
        with contextlib.suppress(NotFound):
            await cluster.delete(NAMESPACES, "", made.meta.name)

    async def expired_version(self, cluster: Cluster, namespace: str) -> str:
        """A resourceVersion of Applications that the server has forgotten; override it where 1 is not one."""
        return "1"

    # --- create and get -----------------------------------------------------------------------------------

    async def test_create_fills_in_what_the_server_owns(self, cluster: Cluster, namespace: str) -> None:
        """A new object has a uid, a decimal version, a creation time and generation 1."""
        made = await cluster.create(APPLICATIONS, application(namespace))
        assert len(made.meta.uid) == 36
        assert rv.parse(made.meta.resource_version)
        assert made.meta.creation_timestamp is not None
        assert made.meta.generation == 1
        assert (made.meta.namespace, made.meta.name) == (namespace, "a1")

    async def test_get_returns_what_create_returned(self, cluster: Cluster, namespace: str) -> None:
        """Reading after writing shows the write."""
        made = await cluster.create(APPLICATIONS, application(namespace))
        read = await cluster.get(APPLICATIONS, namespace, "a1")
        assert read.value() == made.value()
        assert read.get("spec") == {"project": "default", "destination": _DESTINATION}

    async def test_get_of_nothing_is_not_found(self, cluster: Cluster, namespace: str) -> None:
        """A missing object is NotFound, and the details name it."""
        with pytest.raises(NotFound) as caught:
            await cluster.get(APPLICATIONS, namespace, "nothing")
        assert caught.value.message == 'applications.argoproj.io "nothing" not found'
        assert caught.value.details["name"] == "nothing"
        assert caught.value.details["group"] == "argoproj.io"

    async def test_a_taken_name_already_exists(self, cluster: Cluster, namespace: str) -> None:
        """Creating twice is AlreadyExists and leaves the first one as it is."""
        first = await cluster.create(APPLICATIONS, application(namespace))
        with pytest.raises(AlreadyExists) as caught:
            await cluster.create(APPLICATIONS, application(namespace))
        assert caught.value.message == 'applications.argoproj.io "a1" already exists'
        assert caught.value.details["kind"] == "applications"
        assert (await cluster.get(APPLICATIONS, namespace, "a1")).meta.uid == first.meta.uid

    async def test_a_missing_namespace_is_not_found(self, cluster: Cluster) -> None:
        """Nothing is created in a namespace that does not exist."""
        with pytest.raises(NotFound) as caught:
            await cluster.create(APPLICATIONS, application("contract-nowhere"))
        assert caught.value.message == 'namespaces "contract-nowhere" not found'

    async def test_a_clients_uid_and_generation_are_ignored(self, cluster: Cluster, namespace: str) -> None:
        """What the server owns cannot be chosen by the client."""
        metadata = {"uid": "1c0ffee0-0000-4000-8000-000000000000", "generation": 7}
        made = await cluster.create(APPLICATIONS, application(namespace, metadata=metadata))
        assert made.meta.uid != metadata["uid"]
        assert made.meta.generation == 1

    async def test_a_version_on_create_is_refused(self, cluster: Cluster, namespace: str) -> None:
        """A resourceVersion on a create is an internal error, in the server's own words."""
        with pytest.raises(ApiError) as caught:
            await cluster.create(APPLICATIONS, application(namespace, metadata={"resourceVersion": "5"}))
        assert caught.value.status_code == 500
        assert "resourceVersion should not be set" in caught.value.message

    async def test_generated_names_differ(self, cluster: Cluster, namespace: str) -> None:
        """``generateName`` is completed by the server, each time differently."""
        metadata = {"name": "", "generateName": "gen-"}
        names = []
        for _ in range(2):
            made = await cluster.create(APPLICATIONS, application(namespace, metadata=metadata))
            names.append(made.meta.name)
        assert all(name.startswith("gen-") and len(name) == 9 for name in names)
        assert names[0] != names[1]

    async def test_a_bad_name_is_invalid(self, cluster: Cluster, namespace: str) -> None:
        """A name must be a DNS subdomain."""
        with pytest.raises(Invalid) as caught:
            await cluster.create(APPLICATIONS, application(namespace, "Not_A_Name"))
        assert "metadata.name" in fields_of(caught.value)

    async def test_a_recreated_object_is_another(self, cluster: Cluster, namespace: str) -> None:
        """The same name again has a new uid."""
        first = await cluster.create(APPLICATIONS, application(namespace))
        await cluster.delete(APPLICATIONS, namespace, "a1")
        second = await cluster.create(APPLICATIONS, application(namespace))
        assert first.meta.uid != second.meta.uid
        assert rv.is_newer(second.meta.resource_version, first.meta.resource_version)

    # --- schema -------------------------------------------------------------------------------------------

    async def test_unknown_fields_are_pruned(self, cluster: Cluster, namespace: str) -> None:
        """A field that the definition does not know is dropped without a word."""
        value = application(namespace, bogus=1)
        value["spec"] = {**value["spec"], "bogus": {"a": 1}}
        made = await cluster.create(APPLICATIONS, value)
        assert "bogus" not in made.fields
        assert made.get("spec") == {"project": "default", "destination": _DESTINATION}

    async def test_nulls_are_dropped(self, cluster: Cluster, namespace: str) -> None:
        """A null is the same as nothing."""
        made = await cluster.create(APPLICATIONS, application(namespace, operation=None))
        assert "operation" not in made.fields

    async def test_a_json_patch_that_adds_null_removes(self, cluster: Cluster, namespace: str) -> None:
        """Argo CD ends an operation by adding null: the field is gone then."""
        await cluster.create(APPLICATIONS, application(namespace, operation={"sync": {"revision": "x"}}))
        patch = JsonPatch([{"op": "add", "path": "/operation", "value": None}])
        assert "operation" not in (await cluster.patch(APPLICATIONS, namespace, "a1", patch)).fields

    async def test_a_missing_required_field_is_invalid(self, cluster: Cluster, namespace: str) -> None:
        """The causes of an Invalid name the field that is missing."""
        value = application(namespace)
        del value["spec"]["destination"]
        with pytest.raises(Invalid) as caught:
            await cluster.create(APPLICATIONS, value)
        assert "spec.destination" in fields_of(caught.value)
        assert "Required value" in caught.value.message

    async def test_a_wrong_type_is_invalid(self, cluster: Cluster, namespace: str) -> None:
        """The causes of an Invalid name the field of the wrong type."""
        value = application(namespace)
        value["spec"] = {**value["spec"], "project": 7}
        with pytest.raises(Invalid) as caught:
            await cluster.create(APPLICATIONS, value)
        assert "spec.project" in fields_of(caught.value)

    # --- patch --------------------------------------------------------------------------------------------

    async def test_a_merge_patch_merges(self, cluster: Cluster, namespace: str) -> None:
        """Objects merge key by key, and null removes a key."""
        metadata = {"labels": {"keep": "1", "drop": "1"}, "annotations": {"example.com/a": "x"}}
        await cluster.create(APPLICATIONS, application(namespace, metadata=metadata))
        labels = {"drop": None, "new": "2"}
        patch = MergePatch({"metadata": {"labels": labels}, "spec": {"project": "other"}})
        patched = await cluster.patch(APPLICATIONS, namespace, "a1", patch)
        assert patched.labels == {"keep": "1", "new": "2"}
        assert patched.annotations == {"example.com/a": "x"}
        assert patched.get("spec") == {"project": "other", "destination": _DESTINATION}

    async def test_a_merge_patch_replaces_lists(self, cluster: Cluster, namespace: str) -> None:
        """A list in a merge patch replaces the list that was there."""
        conditions = [{"type": "A", "message": "a"}, {"type": "B", "message": "b"}]
        await cluster.create(APPLICATIONS, application(namespace, status={"conditions": conditions}))
        patch = MergePatch({"status": {"conditions": [{"type": "C", "message": "c"}]}})
        patched = await cluster.patch(APPLICATIONS, namespace, "a1", patch)
        assert patched.get("status") == {"conditions": [{"type": "C", "message": "c"}]}

    async def test_a_json_patch_does_what_it_says(self, cluster: Cluster, namespace: str) -> None:
        """Operations run in order; ``~1`` in a path is a slash."""
        metadata = {"annotations": {"example.com/a": "1", "example.com/b": "2"}}
        await cluster.create(APPLICATIONS, application(namespace, metadata=metadata))
        operations: list[Mapping[str, Any]] = [
            {"op": "test", "path": "/metadata/annotations/example.com~1a", "value": "1"},
            {"op": "replace", "path": "/metadata/annotations/example.com~1a", "value": "3"},
            {"op": "remove", "path": "/metadata/annotations/example.com~1b"},
            {"op": "add", "path": "/metadata/finalizers", "value": []},
            {"op": "add", "path": "/spec/info", "value": [{"name": "n", "value": "1"}]},
            {"op": "add", "path": "/spec/info/0", "value": {"name": "m", "value": "0"}},
            {"op": "add", "path": "/spec/info/-", "value": {"name": "o", "value": "2"}},
            {"op": "copy", "from": "/spec/info/0/value", "path": "/spec/project"},
            {"op": "move", "from": "/spec/info/2", "path": "/spec/info/0"},
        ]
        patched = await cluster.patch(APPLICATIONS, namespace, "a1", JsonPatch(operations))
        assert patched.annotations == {"example.com/a": "3"}
        assert patched.get("spec")["project"] == "0"
        assert [item["name"] for item in patched.get("spec")["info"]] == ["o", "m", "n"]

    @pytest.mark.parametrize(
        "operation",
        [
            {"op": "test", "path": "/metadata/uid", "value": "1c0ffee0-0000-4000-8000-000000000000"},
            {"op": "replace", "path": "/status/operationState", "value": {}},
            {"op": "remove", "path": "/operation"},
            {"op": "add", "path": "/status/health/status", "value": "Healthy"},
        ],
        ids=["failing test", "replace of nothing", "remove of nothing", "add without a parent"],
    )
    async def test_a_json_patch_is_all_or_nothing(
        self, cluster: Cluster, namespace: str, operation: Mapping[str, Any]
    ) -> None:
        """If one operation does not apply the patch is Invalid, and nothing is written."""
        made = await cluster.create(APPLICATIONS, application(namespace))
        first = {"op": "add", "path": "/metadata/labels", "value": {"written": "yes"}}
        with pytest.raises(Invalid):
            await cluster.patch(APPLICATIONS, namespace, "a1", JsonPatch([first, operation]))
        assert (await cluster.get(APPLICATIONS, namespace, "a1")).value() == made.value()

    async def test_a_version_in_a_patch_is_a_precondition(self, cluster: Cluster, namespace: str) -> None:
        """A patch that names the stored version is done, one that names another is a Conflict."""
        made = await cluster.create(APPLICATIONS, application(namespace))
        version = {"resourceVersion": made.meta.resource_version}
        patched = await cluster.patch(
            APPLICATIONS, namespace, "a1", MergePatch({"metadata": {**version, "labels": {"a": "1"}}})
        )
        with pytest.raises(Conflict) as caught:
            await cluster.patch(
                APPLICATIONS, namespace, "a1", MergePatch({"metadata": {**version, "labels": {"a": "2"}}})
            )
        assert "the object has been modified" in caught.value.message
        assert (await cluster.get(APPLICATIONS, namespace, "a1")).labels == {"a": "1"}
        assert patched.meta.resource_version != made.meta.resource_version

    async def test_a_patch_of_nothing_is_not_found(self, cluster: Cluster, namespace: str) -> None:
        """A patch never creates."""
        with pytest.raises(NotFound):
            await cluster.patch(APPLICATIONS, namespace, "a1", MergePatch({"metadata": {"labels": {}}}))

    async def test_what_the_server_owns_cannot_be_patched(self, cluster: Cluster, namespace: str) -> None:
        """A patch of the uid is refused, one of the generation is ignored."""
        made = await cluster.create(APPLICATIONS, application(namespace))
        with pytest.raises((Invalid, Conflict)):
            uid = "1c0ffee0-0000-4000-8000-000000000000"
            await cluster.patch(APPLICATIONS, namespace, "a1", MergePatch({"metadata": {"uid": uid}}))
        patched = await cluster.patch(
            APPLICATIONS, namespace, "a1", MergePatch({"metadata": {"generation": 9}})
        )
        assert (patched.meta.uid, patched.meta.generation) == (made.meta.uid, 1)

    # --- no-ops and generations ---------------------------------------------------------------------------

    async def test_a_write_that_changes_nothing_writes_nothing(
        self, cluster: Cluster, namespace: str
    ) -> None:
        """A no-op keeps the version, and no watcher hears of it."""
        metadata = {"labels": {"a": "1"}}
        made = await cluster.create(APPLICATIONS, application(namespace, metadata=metadata))
        same = await cluster.patch(APPLICATIONS, namespace, "a1", MergePatch({"metadata": metadata}))
        again = await cluster.replace(APPLICATIONS, same.value())
        assert made.value() == same.value() == again.value()
        await cluster.create(APPLICATIONS, application(namespace, "a2"))
        version = made.meta.resource_version
        async with cluster.watch(APPLICATIONS, namespace, resource_version=version) as events:
            assert shapes(await take(events, 1)) == [("ADDED", "a2")]

    async def test_generation_counts_all_but_metadata(self, cluster: Cluster, namespace: str) -> None:
        """An Application has no status subresource: its status counts as well, its metadata does not."""
        await cluster.create(APPLICATIONS, application(namespace))
        steps: list[dict[str, Any]] = [
            {"metadata": {"labels": {"a": "1"}}},
            {"spec": {"project": "p"}},
            {"status": {"sync": {"status": "Synced"}}},
            {"metadata": {"annotations": {"example.com/a": "1"}}},
        ]
        seen = []
        for step in steps:
            patched = await cluster.patch(APPLICATIONS, namespace, "a1", MergePatch(step))
            seen.append(patched.meta.generation)
        assert seen == [1, 2, 3, 3]

    # --- replace ------------------------------------------------------------------------------------------

    async def test_replace_replaces(self, cluster: Cluster, namespace: str) -> None:
        """What a PUT leaves out is gone, but not what the server owns."""
        metadata = {"labels": {"a": "1"}}
        made = await cluster.create(APPLICATIONS, application(namespace, metadata=metadata))
        value = application(namespace, metadata={"resourceVersion": made.meta.resource_version})
        replaced = await cluster.replace(APPLICATIONS, value)
        assert replaced.labels == {}
        assert replaced.meta.uid == made.meta.uid
        assert replaced.meta.creation_timestamp == made.meta.creation_timestamp

    async def test_a_stale_replace_is_a_conflict(self, cluster: Cluster, namespace: str) -> None:
        """A PUT with an old version does nothing."""
        made = await cluster.create(APPLICATIONS, application(namespace))
        await cluster.patch(APPLICATIONS, namespace, "a1", MergePatch({"spec": {"project": "p"}}))
        with pytest.raises(Conflict) as caught:
            await cluster.replace(APPLICATIONS, made.value())
        assert caught.value.message.startswith(
            'Operation cannot be fulfilled on applications.argoproj.io "a1": the object has been modified'
        )

    async def test_a_replace_needs_a_version(self, cluster: Cluster, namespace: str) -> None:
        """A PUT of a custom resource without a version is Invalid."""
        await cluster.create(APPLICATIONS, application(namespace))
        with pytest.raises(Invalid) as caught:
            await cluster.replace(APPLICATIONS, application(namespace))
        assert "must be specified for an update" in caught.value.message

    async def test_one_of_two_racing_replaces_wins(self, cluster: Cluster, namespace: str) -> None:
        """Of two writers that read the same version exactly one succeeds."""
        made = await cluster.create(APPLICATIONS, application(namespace))
        outcomes: list[str] = []

        async def write(project: str) -> None:
            value = made.value()
            value["spec"]["project"] = project
            try:
                await cluster.replace(APPLICATIONS, value)
            except Conflict:
                outcomes.append("conflict")
            else:
                outcomes.append(project)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(write, "one")
            nursery.start_soon(write, "two")
        assert "conflict" in outcomes
        stored = (await cluster.get(APPLICATIONS, namespace, "a1")).get("spec")["project"]
        assert sorted(outcomes) == sorted(["conflict", stored])

    # --- delete and finalizers ----------------------------------------------------------------------------

    async def test_delete_removes(self, cluster: Cluster, namespace: str) -> None:
        """Without finalizers an object is gone at once, and deleting it again is NotFound."""
        await cluster.create(APPLICATIONS, application(namespace))
        await cluster.delete(APPLICATIONS, namespace, "a1")
        with pytest.raises(NotFound):
            await cluster.get(APPLICATIONS, namespace, "a1")
        with pytest.raises(NotFound):
            await cluster.delete(APPLICATIONS, namespace, "a1")

    async def _deleting(self, cluster: Cluster, namespace: str) -> Object:
        """An Application that waits for its finalizer."""
        metadata = {"finalizers": [_FINALIZER]}
        await cluster.create(APPLICATIONS, application(namespace, metadata=metadata))
        await cluster.delete(APPLICATIONS, namespace, "a1")
        return await cluster.get(APPLICATIONS, namespace, "a1")

    async def test_a_finalizer_holds_an_object(self, cluster: Cluster, namespace: str) -> None:
        """With a finalizer a delete sets deletionTimestamp, counts the generation, and again does nothing."""
        waiting = await self._deleting(cluster, namespace)
        assert waiting.deleting
        assert waiting.meta.generation == 2
        await cluster.delete(APPLICATIONS, namespace, "a1")
        assert (await cluster.get(APPLICATIONS, namespace, "a1")).value() == waiting.value()

    async def test_the_last_finalizer_releases_it(self, cluster: Cluster, namespace: str) -> None:
        """When the last finalizer goes so does the object, and watchers see one DELETED and nothing else."""
        waiting = await self._deleting(cluster, namespace)
        await cluster.patch(APPLICATIONS, namespace, "a1", MergePatch({"metadata": {"finalizers": None}}))
        with pytest.raises(NotFound):
            await cluster.get(APPLICATIONS, namespace, "a1")
        await cluster.create(APPLICATIONS, application(namespace, "a2"))
        version = waiting.meta.resource_version
        async with cluster.watch(APPLICATIONS, namespace, resource_version=version) as events:
            assert shapes(await take(events, 2)) == [("DELETED", "a1"), ("ADDED", "a2")]

    async def test_no_finalizer_is_added_while_deleting(self, cluster: Cluster, namespace: str) -> None:
        """A deleting object may lose finalizers but not gain any."""
        await self._deleting(cluster, namespace)
        patch = MergePatch({"metadata": {"finalizers": [_FINALIZER, "contract.example.com/more"]}})
        with pytest.raises(Invalid) as caught:
            await cluster.patch(APPLICATIONS, namespace, "a1", patch)
        assert {*fields_of(caught.value)} == {"metadata.finalizers"}
        assert "no new finalizers can be added if the object is being deleted" in caught.value.message

    async def test_a_deleting_object_can_be_patched(self, cluster: Cluster, namespace: str) -> None:
        """Spec and status may change while an object waits; deletionTimestamp cannot be taken away."""
        waiting = await self._deleting(cluster, namespace)
        patch = MergePatch({"metadata": {"deletionTimestamp": None}, "spec": {"project": "p"}})
        patched = await cluster.patch(APPLICATIONS, namespace, "a1", patch)
        assert patched.get("spec")["project"] == "p"
        assert patched.meta.deletion_timestamp == waiting.meta.deletion_timestamp
        assert patched.meta.generation == waiting.meta.generation + 1

    async def test_delete_preconditions(self, cluster: Cluster, namespace: str) -> None:
        """A delete with another uid or version is a Conflict; with the right ones it is done."""
        made = await cluster.create(APPLICATIONS, application(namespace))
        with pytest.raises(Conflict) as caught:
            await cluster.delete(APPLICATIONS, namespace, "a1", uid="1c0ffee0-0000-4000-8000-000000000000")
        assert "UID in the precondition" in caught.value.message
        with pytest.raises(Conflict) as caught:
            await cluster.delete(APPLICATIONS, namespace, "a1", resource_version="1")
        assert "ResourceVersion in the precondition" in caught.value.message
        version = made.meta.resource_version
        await cluster.delete(APPLICATIONS, namespace, "a1", uid=made.meta.uid, resource_version=version)
        with pytest.raises(NotFound):
            await cluster.get(APPLICATIONS, namespace, "a1")

    # --- list ---------------------------------------------------------------------------------------------

    async def test_list_is_of_one_namespace_or_all(self, cluster: Cluster, namespace: str) -> None:
        """A list of a namespace holds its objects in order of name; a list of all holds them too."""
        for name in ("b", "a", "c"):
            await cluster.create(APPLICATIONS, application(namespace, name))
        listed = await cluster.list(APPLICATIONS, namespace)
        assert [item.meta.name for item in listed.items] == ["a", "b", "c"]
        assert {item.kind for item in listed.items} == {"Application"}
        everywhere = await cluster.list(APPLICATIONS)
        assert [i.meta.name for i in everywhere.items if i.meta.namespace == namespace] == ["a", "b", "c"]

    @pytest.mark.parametrize(
        ("selector", "names"),
        [
            ("env=prod", ["a"]),
            ("env==prod", ["a"]),
            ("env!=prod", ["b", "c"]),
            ("env in (prod, test)", ["a", "b"]),
            ("env notin (prod)", ["b", "c"]),
            ("env", ["a", "b"]),
            ("!env", ["c"]),
            ("env,tier=web", ["b"]),
            ("example.com/x=1", ["c"]),
            ("env in (prod,test),tier notin (web)", ["a"]),
        ],
    )
    async def test_label_selectors(
        self, cluster: Cluster, namespace: str, selector: str, names: list[str]
    ) -> None:
        """Every form of a label selector selects what it says."""
        labels = {"a": {"env": "prod"}, "b": {"env": "test", "tier": "web"}, "c": {"example.com/x": "1"}}
        for name, some in labels.items():
            await cluster.create(APPLICATIONS, application(namespace, name, metadata={"labels": some}))
        listed = await cluster.list(APPLICATIONS, namespace, selector=selector)
        assert [item.meta.name for item in listed.items] == names

    async def test_one_object_by_its_name(self, cluster: Cluster, namespace: str) -> None:
        """Listed and followed apart from its neighbours, whether it is there or not."""
        for name in ("a", "b"):
            await cluster.create(APPLICATIONS, application(namespace, name))
        listed = await cluster.list(APPLICATIONS, namespace, name="b")
        assert [item.meta.name for item in listed.items] == ["b"]
        assert (await cluster.list(APPLICATIONS, namespace, name="c")).items == []
        async with cluster.watch(
            APPLICATIONS, namespace, name="c", resource_version=listed.resource_version
        ) as events:
            await cluster.delete(APPLICATIONS, namespace, "a")
            await cluster.create(APPLICATIONS, application(namespace, "c"))
            assert shapes(await take(events, 1)) == [("ADDED", "c")]

    async def test_a_bad_selector_is_a_bad_request(self, cluster: Cluster, namespace: str) -> None:
        """What is not a selector is refused."""
        with pytest.raises(BadRequest):
            await cluster.list(APPLICATIONS, namespace, selector="env in prod")

    async def test_pages_show_one_state(self, cluster: Cluster, namespace: str) -> None:
        """All pages of a list show the state of the first, whatever is written meanwhile."""
        for name in ("a", "b", "c"):
            await cluster.create(CONFIG_MAPS, _config_map(namespace, name))
        first = await cluster.list(CONFIG_MAPS, namespace, limit=2)
        names = [item.meta.name for item in first.items]
        assert first.continue_token
        await cluster.create(CONFIG_MAPS, _config_map(namespace, "d"))
        rest = await cluster.list(CONFIG_MAPS, namespace, limit=2, continue_token=first.continue_token)
        later = [item.meta.name for item in rest.items]
        # A real cluster may have put a ConfigMap of its own into the namespace.
        assert [name for name in names + later if len(name) == 1] in (["a", "b", "c"], ["a", "b"])
        assert "d" not in names + later
        assert rest.resource_version == first.resource_version

    async def test_a_bad_continue_token_is_a_bad_request(self, cluster: Cluster, namespace: str) -> None:
        """A token that the server did not make is refused."""
        with pytest.raises(BadRequest):
            await cluster.list(APPLICATIONS, namespace, limit=2, continue_token="bm90IGEgdG9rZW4")

    # --- watch --------------------------------------------------------------------------------------------

    async def test_a_watch_shows_every_write_in_order(self, cluster: Cluster, namespace: str) -> None:
        """Create, update and delete arrive in order, and each with a newer version than the one before."""
        start = (await cluster.list(APPLICATIONS, namespace)).resource_version
        async with cluster.watch(APPLICATIONS, namespace, resource_version=start) as events:
            made = await cluster.create(APPLICATIONS, application(namespace))
            patch = MergePatch({"spec": {"project": "p"}})
            patched = await cluster.patch(APPLICATIONS, namespace, "a1", patch)
            await cluster.delete(APPLICATIONS, namespace, "a1")
            seen = await take(events, 3)
        assert shapes(seen) == [("ADDED", "a1"), ("MODIFIED", "a1"), ("DELETED", "a1")]
        versions = [event.object.meta.resource_version for event in seen]
        assert versions[:2] == [made.meta.resource_version, patched.meta.resource_version]
        assert rv.is_newer(versions[2], versions[1])
        assert seen[0].object.value() == made.value()
        assert seen[2].object.get("spec") == patched.get("spec")
        assert seen[2].object.meta.uid == made.meta.uid

    async def test_a_watch_goes_on_from_a_version(self, cluster: Cluster, namespace: str) -> None:
        """Events after the given version are replayed, those up to it are not."""
        made = await cluster.create(APPLICATIONS, application(namespace))
        await cluster.create(APPLICATIONS, application(namespace, "a2"))
        version = made.meta.resource_version
        async with cluster.watch(APPLICATIONS, namespace, resource_version=version) as events:
            assert shapes(await take(events, 1)) == [("ADDED", "a2")]

    async def test_a_watch_is_of_one_namespace(self, cluster: Cluster, namespace: str) -> None:
        """What happens in other namespaces is not shown."""
        head = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"generateName": "contract-"}}
        other = (await cluster.create(NAMESPACES, head)).meta.name
        start = (await cluster.list(APPLICATIONS, namespace)).resource_version
        async with cluster.watch(APPLICATIONS, namespace, resource_version=start) as events:
            await cluster.create(APPLICATIONS, application(other, "hidden"))
            await cluster.create(APPLICATIONS, application(namespace, "shown"))
            assert shapes(await take(events, 1)) == [("ADDED", "shown")]
        await cluster.delete(NAMESPACES, "", other)

    async def test_selector_transitions(self, cluster: Cluster, namespace: str) -> None:
        """Entering a selector is ADDED, leaving it DELETED: the old state with the version of the write."""
        start = (await cluster.list(APPLICATIONS, namespace)).resource_version
        await cluster.create(APPLICATIONS, application(namespace))
        steps = [{"watched": "yes"}, {"more": "1"}, {"watched": "no"}, {"more": "2"}, {"watched": "yes"}]
        written = []
        for labels in steps:
            patch = MergePatch({"metadata": {"labels": labels}})
            written.append(await cluster.patch(APPLICATIONS, namespace, "a1", patch))
        async with cluster.watch(
            APPLICATIONS, namespace, selector="watched=yes", resource_version=start
        ) as events:
            seen = await take(events, 4)
        assert [event.type.value for event in seen] == ["ADDED", "MODIFIED", "DELETED", "ADDED"]
        left = seen[2].object
        assert left.labels == {"watched": "yes", "more": "1"}
        assert left.meta.resource_version == written[2].meta.resource_version
        assert seen[3].object.value() == written[4].value()

    async def test_a_watch_ends(self, cluster: Cluster, namespace: str) -> None:
        """After its timeout a watch simply ends."""
        start = (await cluster.list(APPLICATIONS, namespace)).resource_version
        seen = []
        with trio.fail_after(PATIENCE):
            async with cluster.watch(APPLICATIONS, namespace, resource_version=start, timeout=1) as events:
                async for event in events:
                    seen.append(event.type)
        assert set(seen) <= {EventType.BOOKMARK}

    async def test_a_forgotten_version_is_expired(self, cluster: Cluster, namespace: str) -> None:
        """A watch from before the server's memory raises Expired when it is iterated."""
        version = await self.expired_version(cluster, namespace)
        async with cluster.watch(APPLICATIONS, namespace, resource_version=version) as events:
            with pytest.raises(Expired) as caught:
                await take(events, 1000)
        assert caught.value.status_code == 410

    async def test_a_watch_may_begin_with_the_state(self, cluster: Cluster, namespace: str) -> None:
        """Initial events show what was just written, then a bookmark says that they are all; it goes on."""
        for name, watched in (("a1", "yes"), ("a2", "no"), ("a3", "yes")):
            labels = {"labels": {"watched": watched}}
            last = await cluster.create(APPLICATIONS, application(namespace, name, metadata=labels))
        async with cluster.watch(
            APPLICATIONS, namespace, selector="watched=yes", resource_version="", initial=True
        ) as events:
            seen, version = await initial(events)
            assert shapes(seen) == [("ADDED", "a1"), ("ADDED", "a3")]
            assert rv.at_least(version, last.meta.resource_version)
            await cluster.delete(APPLICATIONS, namespace, "a2")
            await cluster.delete(APPLICATIONS, namespace, "a1")
            assert shapes(await take(events, 1)) == [("DELETED", "a1")]
        listed = await cluster.list(APPLICATIONS, namespace, selector="watched=yes")
        assert [item.value() for item in listed.items] == [seen[1].object.value()]

    async def test_nothing_is_a_state_too(self, cluster: Cluster, namespace: str) -> None:
        """Of an empty collection the initial events are the bookmark at their end."""
        async with cluster.watch(APPLICATIONS, namespace, resource_version="", initial=True) as events:
            seen, version = await initial(events)
            assert seen == [] and rv.parse(version)
            await cluster.create(APPLICATIONS, application(namespace))
            assert shapes(await take(events, 1)) == [("ADDED", "a1")]

    async def test_two_watches_see_the_same(self, cluster: Cluster, namespace: str) -> None:
        """Every follower is shown every event."""
        start = (await cluster.list(APPLICATIONS, namespace)).resource_version
        first = cluster.watch(APPLICATIONS, namespace, resource_version=start)
        second = cluster.watch(APPLICATIONS, namespace, resource_version=start)
        async with first as one, second as two:
            await cluster.create(APPLICATIONS, application(namespace))
            a, b = await take(one, 1), await take(two, 1)
        assert a[0].object.value() == b[0].object.value()

    # --- core kinds ---------------------------------------------------------------------------------------

    async def test_string_data_becomes_data(self, cluster: Cluster, namespace: str) -> None:
        """A Secret's ``stringData`` is encoded into ``data`` and not kept; the type has a default."""
        value = secret(namespace, data={"a": "MQ=="}, stringData={"b": "2"})
        made = await cluster.create(SECRETS, value)
        assert made.get("data") == {"a": "MQ==", "b": "Mg=="}
        assert made.get("stringData") is None
        assert made.get("type") == "Opaque"

    async def test_a_secrets_type_is_immutable(self, cluster: Cluster, namespace: str) -> None:
        """The type of a Secret cannot change."""
        await cluster.create(SECRETS, secret(namespace))
        with pytest.raises(Invalid) as caught:
            await cluster.patch(SECRETS, namespace, "s1", MergePatch({"type": "example.com/other"}))
        assert fields_of(caught.value) == ["type"]

    async def test_data_must_be_base64(self, cluster: Cluster, namespace: str) -> None:
        """A Secret's data that is not base64 is a BadRequest."""
        with pytest.raises(BadRequest) as caught:
            await cluster.create(SECRETS, secret(namespace, data={"a": "not base64!"}))
        assert "illegal base64 data" in caught.value.message

    async def test_a_core_kind_may_be_replaced_without_a_version(
        self, cluster: Cluster, namespace: str
    ) -> None:
        """Secrets and ConfigMaps may be overwritten unconditionally."""
        await cluster.create(SECRETS, secret(namespace, stringData={"a": "1"}))
        replaced = await cluster.replace(SECRETS, secret(namespace, stringData={"b": "2"}))
        assert replaced.get("data") == {"b": "Mg=="}

    async def test_a_namespace_is_active_and_labelled(self, cluster: Cluster, namespace: str) -> None:
        """A new namespace is Active and carries its name as a label."""
        made = await cluster.get(NAMESPACES, "", namespace)
        assert made.get("status")["phase"] == "Active"
        assert made.labels["kubernetes.io/metadata.name"] == namespace

    async def test_a_namespace_takes_its_content_with_it(self, cluster: Cluster, namespace: str) -> None:
        """Deleting a namespace deletes what is in it, and then the namespace."""
        await cluster.create(APPLICATIONS, application(namespace))
        start = (await cluster.list(NAMESPACES)).resource_version
        await cluster.delete(NAMESPACES, "", namespace)
        gone = False
        with trio.fail_after(PATIENCE):
            async with cluster.watch(NAMESPACES, resource_version=start) as events:
                async for event in events:
                    gone = event.type is EventType.DELETED and event.object.meta.name == namespace
                    if gone:
                        break
        assert gone
        with pytest.raises(NotFound):
            await cluster.get(APPLICATIONS, namespace, "a1")

    async def test_a_terminating_namespace_is_closed(self, cluster: Cluster, namespace: str) -> None:
        """Nothing is created in a namespace that is going; what a finalizer holds keeps it there."""
        metadata = {"finalizers": [_FINALIZER]}
        await cluster.create(APPLICATIONS, application(namespace, metadata=metadata))
        await cluster.delete(NAMESPACES, "", namespace)
        with pytest.raises(ApiError) as caught:
            await cluster.create(APPLICATIONS, application(namespace, "a2"))
        assert caught.value.status_code == 403
        assert "because it is being terminated" in caught.value.message
        assert (await cluster.get(NAMESPACES, "", namespace)).get("status")["phase"] == "Terminating"
        await cluster.patch(APPLICATIONS, namespace, "a1", MergePatch({"metadata": {"finalizers": None}}))


def _config_map(namespace: str, name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace},
        "data": {"k": "v"},
    }
