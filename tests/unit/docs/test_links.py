"""No link within the project leads nowhere."""

from __future__ import annotations

import pytest

from .pages import NAMES, TOP, anchors, links


@pytest.mark.parametrize("page", NAMES)
def test_links_lead_somewhere(page: str) -> None:
    """Each file is there, and each heading in it."""
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (TOP / page).parent / path if path else TOP / page
        assert target.exists(), f"{page}: {link}: there is no such file"
        inside = target.resolve().relative_to(TOP.resolve()).as_posix()
        if anchor and inside in NAMES:
            assert anchor in anchors(inside), f"{page}: {link}: there is no such heading"


def test_links_are_found() -> None:
    """What is looked at is what there is."""
    assert "docs/getting-started.md" in links("README.md")
    assert "agents.md#a-certificate-that-must-not-count-any-more" in links("docs/validate.md")


def test_the_index_leads_to_every_page() -> None:
    """But for chapters, to which their own page leads."""
    chapters = "docs/structured-concurrency/"
    pages = {
        name.removeprefix("docs/") for name in NAMES if name.startswith("docs/") and chapters not in name
    }
    assert pages - {*links("docs/README.md")} == {"README.md"}
