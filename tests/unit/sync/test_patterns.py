"""Names by pattern."""

from __future__ import annotations

import pytest

from trio_argoagent.sync.patterns import ALL, NONE, Patterns


@pytest.mark.parametrize(
    ("patterns", "name", "expected"),
    [
        (("team-*",), "team-a", True),
        (("team-*",), "steam-a", False),
        (("/team/",), "steam-a", True),
        (("/^team-[ab]$/",), "team-a", True),
        (("/^team-[ab]$/",), "team-c", False),
        (("x", " team-a "), "team-a", True),
        (("/",), "/", True),
        (("//",), "anything", True),
        (("", " "), "", False),
        ((), "team-a", False),
    ],
)
def test_what_matches(patterns: tuple[str, ...], name: str, expected: bool) -> None:
    """A glob is about the whole name, an expression about any part of it; no pattern matches nothing."""
    assert Patterns.parse(patterns).match(name) is expected


def test_an_expression_that_is_none_is_refused() -> None:
    """By name, before anything starts."""
    with pytest.raises(ValueError, match=r"^/\(/ is no regular expression: "):
        Patterns.parse(["team-*", "/(/"])


def test_all_and_none() -> None:
    """The two ends."""
    assert ALL.match("kube-system") and not NONE.match("kube-system") and str(ALL) == "*"
