"""What ``apiserver`` cannot use: one line each, exit code 2, no traceback, nothing left behind."""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Iterator
from errno import EACCES
from pathlib import Path
from typing import Any

import pytest

from trio_argoagent.apiserver.crds import argocd_crds
from trio_argoagent.apiserver.http.faults import Fault, What
from trio_argoagent.cli.apiserver_command import apiserver

from .conftest import Files, Run

WIDGETS: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.com"},
    "spec": {"group": "example.com", "names": {"plural": "widgets", "kind": "Widget"}, "scope": "Namespaced"},
}


def test_a_port_in_use(run: Run) -> None:
    """The line names the address and the option to change."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = run("apiserver", f"--port={port}").line
    assert line == f"cannot listen on 127.0.0.1:{port}: Address already in use; choose another --port"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("a: [", "this is not YAML: line "),
        ("kind: Secret\nmetadata: {name: x}", "a Secret is no CustomResourceDefinition with a name"),
        ("- 1", "a list is no CustomResourceDefinition with a name"),
        ("kind: CustomResourceDefinition", "is no CustomResourceDefinition with a name"),
        (json.dumps(WIDGETS), "spec: versions: Required value"),
    ],
)
def test_definitions_that_cannot_be_served(run: Run, files: Files, content: str, says: str) -> None:
    """The line names the file and what is wrong in it, whether the file or its folder is given."""
    path = files.write("x.yaml", content)
    for given in (path, str(files.folder)):
        line = run("apiserver", f"--crds={given}").line
        assert line.startswith(f"--crds: {path}: ")
        assert says in line


def test_no_definitions(run: Run, tmp_path: Path) -> None:
    """A path that is not there, and a folder without any."""
    missing = str(tmp_path / "missing")
    assert run("apiserver", f"--crds={missing}").line == (
        f"--crds: cannot read {missing}: No such file or directory"
    )
    long = str(tmp_path / ("x" * 300))
    assert run("apiserver", f"--crds={long}").line == f"--crds: cannot read {long}: File name too long"
    assert run("apiserver", f"--crds={tmp_path}").line == (
        f"--crds: there is no .yaml, .yml or .json file in {tmp_path}"
    )


def test_a_folder_that_cannot_be_read(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not made by its mode: root lists any."""

    def refused(folder: Path) -> Iterator[Path]:
        raise PermissionError(EACCES, os.strerror(EACCES), str(folder))

    monkeypatch.setattr(Path, "iterdir", refused)
    assert run("apiserver", f"--crds={tmp_path}").line == f"--crds: cannot read {tmp_path}: Permission denied"


@pytest.mark.parametrize(
    ("tokens", "says"),
    [
        (["=bob"], "a token is empty"),
        (["a b"], "characters that no header can carry"),
        (["tök"], "characters that no header can carry"),
        (["x=ann", "x=bob"], "bob has the token of ann"),
        (["x=ann", "x=ann,devs"], "ann has the token of ann"),
    ],
)
def test_tokens(run: Run, tokens: list[str], says: str) -> None:
    """Those that cannot be sent, and one for two users."""
    line = run("apiserver", *(f"--token={token}" for token in tokens)).line
    assert line.startswith("--token: ")
    assert says in line


def test_files(run: Run, files: Files) -> None:
    """A CA that is none, and a place where no kubeconfig can be."""
    path = files.write("ca", "no PEM")
    assert run("apiserver", f"--client-ca={path}").line.startswith("--client-ca: there is no readable ")
    nowhere = str(files.folder / "missing" / "config")
    line = run("apiserver", f"--kubeconfig={nowhere}").line
    assert line == f"--kubeconfig: cannot write {nowhere}: No such file or directory"


def test_the_shipped_definitions_can_be_given(run: Run, files: Files) -> None:
    """In their own place, as JSON: then only the kubeconfig's place is wrong."""
    files.write("crds.json", "\n---\n".join(json.dumps(crd) for crd in argocd_crds()))
    line = run("apiserver", f"--crds={files.folder}", f"--kubeconfig={files.folder}").line
    assert line.startswith("--kubeconfig: cannot write ")


def test_the_page_tells_everything() -> None:
    """Each option and each fault stands in the documentation, and its examples are orders."""
    page = (Path(__file__).parents[3] / "docs" / "apiserver.md").read_text()
    for parameter in apiserver.params:
        assert f"`{parameter.opts[0]}" in page
    for what in What:
        assert f"`{what}`" in page
    examples = re.findall(r"<<< '(.*)'$", page, re.MULTILINE)
    assert len(examples) == 2
    for text in examples:
        orders = json.loads(text)
        for order in orders if isinstance(orders, list) else [orders]:
            assert Fault.parse(order)


def test_an_audit_log_that_cannot_be_written(run: Run, tmp_path: Path) -> None:
    """The line names it."""
    path = tmp_path / "missing" / "audit"
    line = run("apiserver", f"--audit-log={path}").line
    assert line == f"--audit-log: cannot write {path}: No such file or directory"
