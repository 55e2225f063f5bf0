"""When a program is ready, and how that is told."""

from __future__ import annotations

import pytest

from trio_argoagent.runtime.observing.conditions import Condition, holds, told

UP = Condition("listener", True, "agents may dial")
DOWN = Condition("informer-applications", False, "not listed yet")
APART = Condition("link", False, "waiting", counts=False)


@pytest.mark.parametrize(
    ("conditions", "excluded", "expected"),
    [
        ((), (), True),
        ((UP,), (), True),
        ((UP, DOWN), (), False),
        ((UP, APART), (), True),
        ((UP, DOWN), ("informer-applications",), True),
        ((UP, DOWN), ("listener",), False),
    ],
)
def test_ready(conditions: tuple[Condition, ...], excluded: tuple[str, ...], expected: bool) -> None:
    """What does not hold fails it, unless it does not count, or is excluded."""
    assert holds(conditions, excluded) is expected


def test_a_report() -> None:
    """A line each, in the form that people know from kube-apiserver; the last one is the verdict."""
    assert told("readyz", (UP, DOWN, APART)) == (
        "[+]listener ok: agents may dial\n"
        "[-]informer-applications failed: not listed yet\n"
        "[-]link failed, does not count: waiting\n"
        "readyz check failed\n"
    )


def test_a_report_that_leaves_something_out() -> None:
    """It is shown all the same."""
    assert told("readyz", (DOWN,), ["informer-applications"]) == (
        "[-]informer-applications excluded, failed: not listed yet\nreadyz check passed\n"
    )


def test_one_line_each() -> None:
    """What an API server says cannot begin a line of its own."""
    liar = Condition("link", False, "no\n[+]listener ok: never")
    assert told("readyz", [liar]).splitlines() == [
        "[-]link failed: no [+]listener ok: never",
        "readyz check failed",
    ]


def test_no_secret() -> None:
    """What others say is shown at a port that anybody may ask."""
    trouble = Condition("link", False, "cannot reach the proxy http://me:s3cr3t@proxy: token=s3cr3t is bad")
    assert told("readyz", [trouble]).splitlines()[0] == (
        "[-]link failed: cannot reach the proxy http://me:<redacted>@proxy: token=<redacted> is bad"
    )
