"""What a real API server made of random applies and patches, and the embedded one makes of them, too.

Recorded from the server that stands in the file, over a kind with every sort of field. A step is an apply or
a merge patch by some manager; its answer is the object with the owners of its fields, or the conflicts.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import msgspec
import pytest

from trio_argoagent.apiserver.core import patches
from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.core.values import Written
from trio_argoagent.errors import Conflict
from trio_argoagent.model.resources import Resource

RECORDED: Any = msgspec.json.decode((Path(__file__).parent / "apply" / "real.json").read_bytes())
GADGETS = Resource("example.com", "v1", "gadgets", "Gadget")
HEAD = {"apiVersion": GADGETS.api_version, "kind": GADGETS.kind}


def write(server: ApiServer, ask: dict[str, Any]) -> Written:
    """Do what a step asks for."""
    if "patch" in ask:
        value = {"metadata": ask["metadata"], "spec": ask["spec"]}
        return server.patch(
            GADGETS, "default", "x", value,
            content_type=patches.MERGE_PATCH, manager=ask["manager"], actor="t", now=0.0,
        )  # fmt: skip
    value = {**HEAD, "metadata": {"name": "x", **ask["metadata"]}, "spec": ask["spec"]}
    force = ask.get("force", False)
    return server.apply(
        GADGETS, "default", "x", value, manager=ask["manager"], actor="t", now=0.0, force=force
    )


def answer(server: ApiServer, ask: dict[str, Any]) -> dict[str, Any]:
    """What a step is answered with, in the form of the file."""
    try:
        written = write(server, ask)
    except Conflict as exc:
        causes = [[cause["message"], cause["field"]] for cause in exc.details["causes"]]
        return {"status": 409, "causes": sorted(causes)}
    value = written.stored.value
    metadata = value["metadata"]
    entries = metadata.get("managedFields", ())
    return {
        "status": 201 if written.created else 200,
        "metadata": {key: metadata[key] for key in ("labels", "finalizers", "generation") if key in metadata},
        "spec": value.get("spec"),
        "owners": {f"{entry['manager']}/{entry['operation']}": entry["fieldsV1"] for entry in entries},
    }


@pytest.mark.parametrize("number", range(len(RECORDED["conversations"])))
def test_the_same_answers(number: int) -> None:
    """Step by step: objects, owners, and conflicts are those of the real server."""
    server = ApiServer(entropy=random.Random(1).randbytes)
    server.add_crd(RECORDED["definition"], now=0.0)
    for index, step in enumerate(RECORDED["conversations"][number]):
        assert answer(server, step["ask"]) == step["answer"], (index, step["ask"])


def test_the_record_says_something() -> None:
    """There are conflicts in it, merges, and several owners."""
    steps = [step for conversation in RECORDED["conversations"] for step in conversation]
    assert sum(step["answer"]["status"] == 409 for step in steps) > 5
    assert sum("patch" in step["ask"] for step in steps) > 5
    assert max(len(step["answer"].get("owners", ())) for step in steps) > 3
