"""Parameters of requests."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import pytest

from trio_argoagent.apiserver.core import options
from trio_argoagent.apiserver.core.options import DeleteOptions, ListOptions, WriteOptions
from trio_argoagent.errors import BadRequest, Invalid


def query(text: str) -> dict[str, list[str]]:
    """A query as ``Request.query`` gives it."""
    return parse_qs(text, keep_blank_values=True)


def test_nothing() -> None:
    """Without parameters everything is at its default; unknown fields are warned about."""
    assert ListOptions.read({}) == ListOptions()
    assert WriteOptions.read({}) == WriteOptions(dry_run=False, validation="Warn")
    assert DeleteOptions.read({}, None) == DeleteOptions()
    assert options.include_object({}) == "Metadata"


def test_list_options() -> None:
    """Every parameter of a list or watch is taken."""
    text = (
        "labelSelector=a%3Db&fieldSelector=c%3Dd&resourceVersion=7&resourceVersionMatch=NotOlderThan&limit=5"
        "&continue=t&watch=1&timeoutSeconds=9&allowWatchBookmarks=true&sendInitialEvents=false"
    )
    assert ListOptions.read(query(text)) == ListOptions(
        "a=b", "c=d", "7", "NotOlderThan", 5, "t", True, 9, True, False
    )


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("watch", True), ("watch=", True), ("watch=True", True), ("watch=1", True), ("watch=0", False),
     ("watch=false", False), ("watch=FALSE", False), ("", False)],
)  # fmt: skip
def test_flags(text: str, wanted: bool) -> None:
    """A flag counts when it is there and is not a no."""
    assert ListOptions.read(query(text)).watch is wanted


def test_not_a_number() -> None:
    """A limit that is no number is refused."""
    with pytest.raises(BadRequest, match='parsing "many"'):
        ListOptions.read(query("limit=many"))


@pytest.mark.parametrize("text", ["dryRun=Some", "fieldValidation=strict"])
def test_unknown_values(text: str) -> None:
    """A value that is not one of those allowed is Invalid, not ignored."""
    with pytest.raises(Invalid):
        WriteOptions.read(query(text))


def test_include_object() -> None:
    """Only the three amounts exist."""
    assert options.include_object(query("includeObject=Object")) == "Object"
    with pytest.raises(Invalid):
        options.include_object(query("includeObject=All"))


def test_delete_options_of_a_body() -> None:
    """The body says it all."""
    body = {
        "kind": "DeleteOptions",
        "preconditions": {"uid": "u", "resourceVersion": "7"},
        "propagationPolicy": "Foreground",
        "dryRun": ["All"],
    }
    assert DeleteOptions.read({}, body) == DeleteOptions("u", "7", "Foreground", True)


def test_delete_options_of_a_query() -> None:
    """Without a body the query counts."""
    asked = DeleteOptions.read(query("propagationPolicy=Orphan&dryRun=All"), None)
    assert asked == DeleteOptions(propagation="Orphan", dry_run=True)


@pytest.mark.parametrize("body", [{"orphanDependents": True}, {"orphanDependents": True, "dryRun": []}])
def test_orphan_dependents(body: dict[str, Any]) -> None:
    """The old way to orphan still works."""
    assert DeleteOptions.read({}, body).propagation == "Orphan"


@pytest.mark.parametrize(
    "body", [[], "x", {"kind": "Secret"}, {"preconditions": "x"}, {"dryRun": "All"}, {"preconditions": [1]}]
)
def test_not_delete_options(body: Any) -> None:
    """Anything else in the body is refused."""
    with pytest.raises(BadRequest):
        DeleteOptions.read({}, body)


def test_a_dry_run_beside_a_body() -> None:
    """A query's dryRun counts where the body has none: a delete is never made by accident."""
    assert DeleteOptions.read(query("dryRun=All"), {"propagationPolicy": "Background"}).dry_run
