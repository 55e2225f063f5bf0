"""The user's own YAML: where it goes, and what each mistake says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from trio_argoagent.demo.documents import MAX_SIZE, Document, read_documents
from trio_argoagent.errors import UserError
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS, CONFIG_MAPS, NAMESPACES
from trio_argoagent.runtime.world import seeded_env

MODES = {"east": Mode.MANAGED, "west": Mode.MANAGED, "edge": Mode.AUTONOMOUS}

Read = Callable[..., tuple[Document, ...]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read these texts, each a file: ``0.yaml``, ``1.yaml`` and so on."""

    def documents(*texts: str | bytes) -> tuple[Document, ...]:
        paths = []
        for number, text in enumerate(texts):
            path = tmp_path / f"{number}.yaml"
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
            paths.append(str(path))
        return read_documents(paths, MODES, "argocd", seeded_env("documents").entropy, 1.7e9)

    return documents


@pytest.fixture
def mistake(read: Read, tmp_path: Path) -> Callable[..., str]:
    """The line about a mistake in these texts, without the folder."""

    def line(*texts: str | bytes) -> str:
        with pytest.raises(UserError) as caught:
            read(*texts)
        text = str(caught.value)
        assert "\n" not in text
        return text.replace(f"{tmp_path}/", "")

    return line


Mistake = Callable[..., str]


def app(metadata: str = "name: shop", spec: str = "", kind: str = "Application") -> str:
    """An Application of a few lines."""
    return f"""
apiVersion: argoproj.io/v1alpha1
kind: {kind}
metadata: {{{metadata}}}
spec:
  project: default
  destination: {{server: "https://kubernetes.default.svc", namespace: shop}}
  source: {{repoURL: "https://example.com/apps", path: shop, targetRevision: HEAD}}
{spec}
"""


def project(metadata: str) -> str:
    """An AppProject."""
    head = f"apiVersion: argoproj.io/v1alpha1\nkind: AppProject\nmetadata: {{{metadata}}}\n"
    return f"{head}spec: {{sourceRepos: ['*']}}\n"


def several(*documents: str) -> str:
    """One file of them."""
    return "---\n".join(documents)


@pytest.mark.parametrize(
    ("document", "node", "namespace"),
    [
        (app(), "", "east"),
        (app("name: shop, namespace: argocd"), "", "east"),
        (app("name: shop, namespace: west"), "", "west"),
        (app("name: shop, namespace: edge"), "edge", "argocd"),
        (project("name: team"), "", "argocd"),
        (project("name: team, namespace: edge"), "edge", "argocd"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: edge}", "", "edge"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}", "", "argocd"),
    ],
)
def test_where_a_document_goes(read: Read, document: str, node: str, namespace: str) -> None:
    """An agent's name as namespace is that agent: on the hub if managed, on its spoke if autonomous."""
    (found,) = read(document)
    assert (found.node, found.value["metadata"]["namespace"]) == (node, namespace)


def test_several_documents_of_several_files(read: Read) -> None:
    """In their order; empty documents and comments are nothing."""
    first = several("# a comment\n", app("name: one"), "", app("name: two, namespace: edge"), "")
    found = read(first, "", several(project("name: team"), app("name: one, namespace: west")))
    names = [(d.resource, d.value["metadata"]["name"]) for d in found]
    assert names == [
        (APPLICATIONS, "one"),
        (APPLICATIONS, "two"),
        (APP_PROJECTS, "team"),
        (APPLICATIONS, "one"),
    ]


def test_a_namespace_and_what_is_in_it(read: Read) -> None:
    """What an earlier document makes, a later one may use."""
    found = read(
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: team}\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: team}\n",
    )
    assert [document.resource for document in found] == [NAMESPACES, CONFIG_MAPS]


def test_the_same_name_on_two_clusters_is_no_repetition(read: Read) -> None:
    """A project of the hub and one of an autonomous agent are two."""
    found = read(several(project("name: team"), project("name: team, namespace: edge")))
    assert [document.node for document in found] == ["", "edge"]


def test_yaml_as_kubectl_reads_it(read: Read) -> None:
    """A date stays the text it was written as; numbers and words as keys are texts; merging works."""
    labels = "labels: {<<: {2: two, a: b}, a: c, 1: one, true: yea}"
    (found,) = read(app(f"name: shop, annotations: {{day: 2020-01-01}}, {labels}"))
    assert found.value["metadata"]["annotations"] == {"day": "2020-01-01"}
    assert found.value["metadata"]["labels"] == {"1": "one", "true": "yea", "2": "two", "a": "c"}


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (app(kind="Aplication"), "kind: there is no Aplication in argoproj.io/v1alpha1 here"),
        (app().replace("v1alpha1", "v1"), "kind: there is no Application in argoproj.io/v1 here"),
        (app("labels: {}"), "metadata.name: missing"),
        (app("name: 5"), "metadata.name: 5 is not a text; put it in quotes"),
        (app("name: Shop"), "metadata.name: Invalid value"),
        (app("name: shop, nmae: x"), 'strict decoding error: unknown field "metadata.nmae"'),
        (app("name: shop, namespace: nowhere"), "metadata.namespace: there is no 'nowhere'; choose one of"),
        (app("name: shop, namespace: 5"), "metadata.namespace: 5 is not a text"),
        (app(spec="  wrong: 1"), 'strict decoding error: unknown field "spec.wrong"'),
        (app(spec="  syncPolicy: auto"), "spec.syncPolicy: Invalid value"),
        (app(spec="  revisionHistoryLimit: .inf"), "spec.revisionHistoryLimit: a float has no place"),
        (app(spec="  info: [{name: x, value: !!set {a}}]"), "spec.info[0].value: a set has no place"),
        ("kind: Application\n", "apiVersion: missing"),
        ("apiVersion: v1\n", "kind: missing"),
        ("apiVersion: v1\nkind: ConfigMap\n", "metadata.name: missing"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: [c]\n", "metadata: this is no object"),
        ("- a list\n", "this is a list, not a Kubernetes object"),
        ("just words\n", "this is a str, not a Kubernetes object"),
    ],
)
def test_a_bad_document_names_file_number_and_field(mistake: Mistake, document: str, field: str) -> None:
    """Wherever it stands among good ones."""
    line = mistake(project("name: team"), several(app("name: good"), "# empty\n", document))
    assert line.startswith(f"1.yaml, document 3: {field}"), line


def test_a_required_field_that_is_missing(mistake: Mistake) -> None:
    """It is named as the API server names it."""
    text = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: shop}\n"
    assert mistake(text) == "0.yaml, document 1: spec: Required value"


def test_a_repetition(mistake: Mistake) -> None:
    """The line says where the other one is."""
    line = mistake(app(), several(app("name: other"), app()))
    expected = "metadata.name: Application shop is in 0.yaml, document 1 already"
    assert line == f"1.yaml, document 2: {expected}"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: [1,\n", "0.yaml, line 2: this is not YAML: "),
        ("a: 1\n\tb: 2\n", "0.yaml, line 2: this is not YAML: "),
        ("a: 1\n---\nb: {c: 1,\n   c: 2}\n", "0.yaml, line 4: this is not YAML: key 'c' stands twice"),
        ("a: !!python/name:os.system\n", "0.yaml, line 1: this is not YAML: could not determine"),
        ("? [a, b]\n: c\n", "0.yaml, line 1: this is not YAML: found unhashable key"),
        ("a: \0\n", "0.yaml: this is not YAML: unacceptable character"),
        (b"a: \xff\n", "0.yaml: this is not YAML: it is not UTF-8"),
        ("\n" + "[" * 600, "0.yaml, line 2: this is not YAML: it is nested deeper than 100 levels"),
    ],
)
def test_what_is_not_yaml(mistake: Mistake, text: str | bytes, line: str) -> None:
    """The line of the file is named."""
    assert mistake(text).startswith(line)


def test_few_lines_that_stand_for_too_much(mistake: Mistake) -> None:
    """Aliases that multiply are counted where they stand, before they fill the memory."""
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 30)]
    assert "there is too much in it" in mistake("\n".join(lines))


def test_an_object_that_contains_itself(mistake: Mistake) -> None:
    """It has no end."""
    assert "contains itself" in mistake("&a {apiVersion: v1, kind: ConfigMap, data: *a}\n")


def test_a_file_that_is_too_long(mistake: Mistake) -> None:
    """It is not read to its end."""
    line = mistake("#" * (MAX_SIZE + 1))
    assert line == f"--apply: cannot read 0.yaml: it is longer than {MAX_SIZE} bytes"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """The option is named, and what to give."""
    path = str(tmp_path / "missing.yaml")
    with pytest.raises(
        UserError, match=r"^--apply: cannot read .*: No such file or directory; give the path"
    ):
        read_documents([path], MODES, "argocd", bytes, 0.0)
