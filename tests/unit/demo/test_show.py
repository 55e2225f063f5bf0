"""What the demo needs before anything starts."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from trio_argoagent.demo.show import _folder
from trio_argoagent.errors import UserError


def test_nowhere_to_write(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One line that says what to do."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    with pytest.raises(UserError, match=r"^no directory for temporary files: .*; set TMPDIR to one$"):
        _folder()
