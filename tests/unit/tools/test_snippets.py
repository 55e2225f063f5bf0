"""What a marker asks for, and markers that ask for nothing."""

from __future__ import annotations

import pytest

from tools.snippets import NOTES_AT, Misfit, refreshed, snippet

BELL = "trio_argoagent/replication/bell.py"


def test_a_function_without_its_docstring() -> None:
    """As far to the left as it goes."""
    assert snippet(f"{BELL} Bell.ring") == "def ring(self) -> None:\n    self._event.set()\n"


def test_a_part_of_it() -> None:
    """From the first line that begins so, to the next one that begins like the other text."""
    asked = f'{BELL} Bell.wait from "else:" to "await"'
    assert snippet(asked) == (
        "else:\n    with trio.CancelScope(deadline=deadline):\n        await self._event.wait()\n"
    )


def test_decorators_belong_to_it() -> None:
    """They are often the point."""
    assert snippet("trio_argoagent/net/http2.py open_http2").startswith("@asynccontextmanager\nasync def")


@pytest.mark.parametrize(
    "asked",
    [
        f"{BELL} Bell.no_such",
        "trio_argoagent/no_such.py Bell",
        f'{BELL} Bell.wait from "no such line"',
        f'{BELL} Bell.wait from "else:" to "no such line"',
        "Bell",
    ],
)
def test_what_is_not_there(asked: str) -> None:
    """A refactoring makes the pages' test red: they never show what was."""
    with pytest.raises(Misfit):
        snippet(asked)


def test_a_page() -> None:
    """What stands below a marker is replaced, and nothing else."""
    page = (
        f"text\n\n<!-- snippet: {BELL} Bell.ring -->\n```python\nold\n```\nmore\n\n"
        "<!-- tree: one -->\n```text\nold\n```\n\n```python\nkept\n```\n"
    )
    assert refreshed(page, {"one": "root\n└─ leaf"}) == (
        f"text\n\n<!-- snippet: {BELL} Bell.ring -->\n```python\n"
        "def ring(self) -> None:\n    self._event.set()\n```\nmore\n\n"
        "<!-- tree: one -->\n```text\nroot\n└─ leaf\n```\n\n```python\nkept\n```\n"
    )
    with pytest.raises(Misfit):
        refreshed(page, {})


def test_what_is_said_beside_a_tree_stays() -> None:
    """Beside the line of that label, wherever it is now; a new line has none."""
    page = "<!-- noted tree: one -->\n```text\nroot\n└─ a leaf  why\n```\n"
    assert refreshed(page, {"one": "root\n├─ a leaf\n└─ new"}) == (
        f"<!-- noted tree: one -->\n```text\nroot\n{'├─ a leaf':<{NOTES_AT}}why\n└─ new\n```\n"
    )
