"""What the page about moving says is left behind."""

from __future__ import annotations

from trio_argoagent.pki.rotation import NOTES

from .pages import TOP


def test_what_a_rotation_leaves() -> None:
    """Each annotation is named, and removed by the command."""
    page = (TOP / "docs" / "migration.md").read_text("utf-8")
    for name in NOTES:
        assert f"`{name}`" in page
        assert f" {name}-" in page
