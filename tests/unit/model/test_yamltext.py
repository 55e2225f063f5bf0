"""YAML as JSON in other clothes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.apiserver.core.values import encode
from trio_argoagent.model import yamltext

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn", "Zl", "Zp"]), max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("abc", min_size=1, max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(JSON.filter(lambda value: value is not None))
def test_json_is_yaml(value: Any) -> None:
    """What is JSON comes out as it is."""
    assert yamltext.load_one(encode(value)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 2026-01-02", {"a": "2026-01-02"}),
        ("a: 2026-01-02T03:04:05Z", {"a": "2026-01-02T03:04:05Z"}),
        ("1: a\ntrue: b\n2.5: c", {"1": "a", "true": "b", "2.5": "c"}),
        ("a: &x [1]\nb: *x", {"a": [1], "b": [1]}),
        ("a: |\n  two\n  lines\n", {"a": "two\nlines\n"}),
    ],
)
def test_clothes(text: str, value: Any) -> None:
    """Dates are texts, keys become texts, aliases are their values."""
    assert yamltext.load_one(text.encode()) == value


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]\n" for old, new in zip("abcdefg", "bcdefgh", strict=True)
)


@pytest.mark.parametrize(
    "text",
    [
        "a: [", "a: b: c", "\ta", "!!python/object:os.system {}", "a: !!binary YQ==", "? {a: b}\n: c",
        "a: .inf", "a: .nan", "a: 1\na: 2", "a: &a [*a]", "[" * 200 + "]" * 200, "- " * 100_000,
        BOMB, "a: 1\n---\nb: 2", "",
    ],
)  # fmt: skip
def test_what_is_refused(text: str) -> None:
    """No YAML, what JSON cannot say, and what has no end."""
    with pytest.raises(ValueError):
        yamltext.load_one(text.encode())


def test_many_documents() -> None:
    """In their order; empty ones do not count."""
    assert yamltext.load(b"---\na: 1\n---\n---\nb: 2\n") == [{"a": 1}, {"b": 2}]
