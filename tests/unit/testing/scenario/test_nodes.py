"""YAML as a tree that knows its lines."""

from __future__ import annotations

import pytest

from trio_argoagent.testing.scenario.nodes import MAX_DEPTH, MAX_SIZE, MAX_VALUES, Problem, nearest, read


def test_scalars_are_those_of_yaml_1_2() -> None:
    """Words that older YAML takes for booleans, and dates, are texts; quotes make anything a text."""
    text = "[on, no, 2026-01-01, '1', 1, -2.5, 1e3, true, ~, 3.6, 0x10]"
    wanted = ["on", "no", "2026-01-01", "1", 1, -2.5, 1000.0, True, None, 3.6, "0x10"]
    assert read(text).plain() == wanted


def test_each_value_knows_its_line_and_field() -> None:
    """A value of a mapping has the line of its key, an item of a list that of its beginning."""
    root = read("a:\n  b:\n    - x\n    - c: 1\n")
    item = root.value["a"].value["b"].value[1]
    assert (item.line, item.field) == (4, "a.b[1]")
    assert (item.value["c"].line, item.value["c"].field) == (4, "a.b[1].c")
    assert root.value["a"].line == 1


def test_an_alias_stands_for_its_anchor() -> None:
    """What is said once can be used twice."""
    assert read("a: &x {b: 1}\nc: *x\n").plain() == {"a": {"b": 1}, "c": {"b": 1}}


@pytest.mark.parametrize(
    ("text", "line", "hint"),
    [
        ("", 1, "empty"),
        ("a: [1, 2\nb: 3\n", 2, "not YAML"),
        ("a: 1\nb: 2\na: 3\n", 3, "stands twice"),
        ("a: !!python/object:x 1\n", 1, "tag"),
        ("a:\n  ? [1]\n  : 2\n", 2, "key must be a text"),
        ("a: &x\n  b: *x\n", 1, "contains itself"),
        ("a: &x [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\nb: &y [" + ", ".join(["*x"] * 100) + "]\n"
         "c: [" + ", ".join(["*y"] * (MAX_VALUES // 1000)) + "]\n", 1, "too much"),
        ("[" * (MAX_DEPTH + 2) + "]" * (MAX_DEPTH + 2), 1, "too much"),
        ("[" * 1_000, 1, ""),
        ("x" * (MAX_SIZE + 1), 1, "longer than"),
        ("a: 1\n---\nb: 2\n", 2, "not YAML"),
    ],
)  # fmt: skip
def test_what_cannot_be_read(text: str, line: int, hint: str) -> None:
    """One problem, with its line: no traceback of the YAML library, and no memory bomb."""
    with pytest.raises(Problem) as caught:
        read(text)
    assert hint in caught.value.text
    assert caught.value.line == line


def test_the_nearest_name_is_suggested() -> None:
    """A slip of the pen gets its name, anything else the list."""
    assert nearest("consistnt", ["consistent", "synced"]) == "did you mean 'consistent'?"
    assert nearest("moon", ["consistent", "synced"]) == "choose of consistent, synced"
