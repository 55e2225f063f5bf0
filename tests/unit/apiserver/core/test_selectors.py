"""Label and field selectors."""

from __future__ import annotations

import pytest

from trio_argoagent.apiserver.core.selectors import match_fields, match_labels
from trio_argoagent.apiserver.core.values import Stored
from trio_argoagent.errors import BadRequest

SELECTABLE = {"metadata.name": ("metadata", "name"), "type": ("type",)}


def labelled(**labels: str) -> Stored:
    """An object with these labels (``__`` stands for a slash)."""
    return Stored({"metadata": {"labels": {k.replace("__", "/"): v for k, v in labels.items()}}}, 1)


@pytest.mark.parametrize(
    ("selector", "labels", "expected"),
    [
        ("a=1", {"a": "1"}, True),
        ("a = 1", {"a": "1"}, True),
        ("a==1", {"a": "2"}, False),
        ("a=", {"a": ""}, True),
        ("a=", {}, False),
        ("a!=1", {}, True),
        ("a!=1", {"a": "1"}, False),
        ("a in (1,2)", {"a": "2"}, True),
        ("a in (1)", {}, False),
        ("a in (,1)", {"a": ""}, True),
        ("a notin (1,2)", {}, True),
        ("a notin (1, 2)", {"a": "2"}, False),
        ("a", {"a": "x"}, True),
        ("!a", {"a": "x"}, False),
        ("!a", {}, True),
        ("a>5", {"a": "6"}, True),
        ("a>5", {"a": "x"}, False),
        ("a<5", {"a": "6"}, False),
        ("x/y=1,a", {"x__y": "1", "a": ""}, True),
        (" a=1 , !b ", {"a": "1"}, True),
        ("a in (1),b notin (2),c!=3", {"a": "1", "b": "2"}, False),
        ("in in (in)", {"in": "in"}, True),
    ],
)
def test_labels(selector: str, labels: dict[str, str], expected: bool) -> None:
    """Every form selects what it says; a missing key matches only what is negative."""
    matcher = match_labels(selector)
    assert matcher is not None
    assert matcher(labelled(**labels)) is expected


@pytest.mark.parametrize(
    "selector",
    [
        "a in b",
        "a in (b",
        "=1",
        "a=1,",
        ",a",
        "a==b==c",
        "a b",
        "a=(x)",
        "!",
        "!a=1",
        "a=-x",
        "a>x",
        "a in (b c)",
    ],
)
def test_bad_label_selectors(selector: str) -> None:
    """What is not a selector is a BadRequest."""
    with pytest.raises(BadRequest):
        match_labels(selector)


def test_empty_selects_everything() -> None:
    """No selector is no matcher at all."""
    assert match_labels("") is None
    assert match_labels("  ") is None
    assert match_fields("", SELECTABLE) is None


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("metadata.name=n", True),
        ("metadata.name==n", True),
        ("metadata.name!=n", False),
        ("metadata.name=n,type=t", True),
        ("metadata.name=n,type!=t", False),
        ("type=", False),
    ],
)
def test_fields(selector: str, expected: bool) -> None:
    """Terms compare the text of a field; all must hold."""
    matcher = match_fields(selector, SELECTABLE)
    assert matcher is not None
    assert matcher(Stored({"metadata": {"name": "n"}, "type": "t"}, 1)) is expected


def test_a_missing_field_is_empty() -> None:
    """A field that is not there is the empty text."""
    matcher = match_fields("type=", SELECTABLE)
    assert matcher is not None
    assert matcher(Stored({"metadata": {}}, 1))


@pytest.mark.parametrize("selector", ["spec.project=x", "metadata.name", "metadata.name>x"])
def test_bad_field_selectors(selector: str) -> None:
    """Only supported labels can be selected on, and only by equality."""
    with pytest.raises(BadRequest):
        match_fields(selector, SELECTABLE)


def test_unsupported_fields_are_named() -> None:
    """The error says which label is not supported."""
    with pytest.raises(BadRequest, match=r"field label not supported: spec\.project"):
        match_fields("spec.project=x", SELECTABLE)
