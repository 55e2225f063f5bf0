"""Argo CD's spec normalisation: one row a rule."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.sync.normalise import normalise_application_spec

REPO = {"repoURL": "https://example.com/repo", "path": "web"}

ROWS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("no project is the default one", {}, {"project": "default"}),
    ("an empty project is the default one", {"project": ""}, {"project": "default"}),
    ("a policy of nothing goes", {"syncPolicy": {}}, {}),
    ("a policy of null goes", {"syncPolicy": None}, {}),
    ("a policy of empty options goes", {"syncPolicy": {"syncOptions": []}}, {}),
    ("an empty automated switches on", {"syncPolicy": {"automated": {}}}, {"syncPolicy": {"automated": {}}}),
    ("retry keeps a policy", {"syncPolicy": {"retry": {}}}, {"syncPolicy": {"retry": {}}}),
    (
        "namespace metadata keeps a policy",
        {"syncPolicy": {"managedNamespaceMetadata": {}}},
        {"syncPolicy": {"managedNamespaceMetadata": {}}},
    ),
    ("options keep a policy", {"syncPolicy": {"syncOptions": ["a"]}}, {"syncPolicy": {"syncOptions": ["a"]}}),
    ("destination stays", {"destination": {"name": ""}}, {"destination": {"name": ""}}),
    ("a hydrator stays", {"sourceHydrator": {}}, {"sourceHydrator": {}}),
]  # fmt: skip

SOURCES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("an empty helm goes", {"helm": {}}, {}),
    ("a helm of zero values goes", {"helm": {"valueFiles": [], "skipCrds": False, "values": ""}}, {}),
    ("a flag keeps helm", {"helm": {"skipCrds": True}}, {"helm": {"skipCrds": True}}),
    ("an empty valuesObject keeps helm", {"helm": {"valuesObject": {}}}, {"helm": {"valuesObject": {}}}),
    ("a valuesObject of null does not", {"helm": {"valuesObject": None}}, {}),
    ("an empty kustomize goes", {"kustomize": {"images": []}}, {}),
    ("forceCommonLabels alone does not count", {"kustomize": {"forceCommonLabels": True}}, {}),
    ("a prefix keeps kustomize", {"kustomize": {"namePrefix": "a-"}}, {"kustomize": {"namePrefix": "a-"}}),
    ("an empty directory goes", {"directory": {"recurse": False}}, {}),
    ("recursion keeps a directory whole", {"directory": {"recurse": True, "jsonnet": {}}},
     {"directory": {"recurse": True, "jsonnet": {}}}),
    ("libraries keep a directory", {"directory": {"jsonnet": {"libs": ["x"]}}},
     {"directory": {"jsonnet": {"libs": ["x"]}}}),
    ("the filter switch keeps a directory", {"directory": {"disableExtensionFilter": True}},
     {"directory": {"disableExtensionFilter": True}}),
    ("patterns alone are all that is kept", {"directory": {"include": "*.y", "jsonnet": {}}},
     {"directory": {"include": "*.y"}}),
    ("a plugin stays", {"plugin": {}}, {"plugin": {}}),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "spec", "wanted"), ROWS, ids=[row[0] for row in ROWS])
def test_spec(rule: str, spec: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Each rule about the spec itself."""
    base = {"source": REPO, "project": "p"} if "project" not in {**spec, **wanted} else {"source": REPO}
    assert normalise_application_spec(base | spec) == base | wanted | (
        {"project": wanted["project"]} if "project" in wanted else {}
    )


@pytest.mark.parametrize(("rule", "source", "wanted"), SOURCES, ids=[row[0] for row in SOURCES])
@pytest.mark.parametrize("several", [False, True])
def test_source(rule: str, source: dict[str, Any], wanted: dict[str, Any], several: bool) -> None:
    """Each rule about a source, for the one source and for each of several."""

    def spec(block: dict[str, Any]) -> dict[str, Any]:
        whole = REPO | block
        return {"project": "p"} | ({"sources": [REPO, whole]} if several else {"source": whole})

    assert normalise_application_spec(spec(source)) == spec(wanted)


def test_the_single_source_is_not_looked_at_beside_several() -> None:
    """Argo CD ignores spec.source where there is spec.sources."""
    spec = {"project": "p", "sources": [REPO], "source": REPO | {"helm": {}}}
    assert normalise_application_spec(spec) == spec


blocks = st.dictionaries(
    st.sampled_from(["recurse", "include", "jsonnet", "namePrefix", "images", "values", "valuesObject"]),
    st.sampled_from([None, "", "x", [], ["x"], {}, {"libs": ["x"]}, False, True]),
    max_size=3,
)  # fmt: skip
sources = st.dictionaries(st.sampled_from(["helm", "kustomize", "directory"]), blocks).map(lambda s: REPO | s)


def _plausible(source: dict[str, Any]) -> bool:
    jsonnet = (source.get("directory") or {}).get("jsonnet")
    return jsonnet is None or isinstance(jsonnet, dict)


@settings(deadline=None, max_examples=150)
@given(st.lists(sources.filter(_plausible), max_size=2), st.booleans())
def test_it_is_idempotent_and_changes_nothing_it_was_given(many: list[dict[str, Any]], empty: bool) -> None:
    """Normalising twice is normalising once, and the input stays as it was."""
    spec: dict[str, Any] = {
        "project": "",
        "source": REPO,
        "sources": many,
        "syncPolicy": {} if empty else None,
    }
    before = copy.deepcopy(spec)
    once = normalise_application_spec(spec)
    assert normalise_application_spec(once) == once
    assert spec == before
