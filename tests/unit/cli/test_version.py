"""``version``: what it is, on one page and for programs."""

from __future__ import annotations

import json
import platform

from trio_argoagent._version import __version__
from trio_argoagent.stream.protocol.negotiation import OURS

from .conftest import Run


def test_version(run: Run) -> None:
    """Number, interpreter, platform, protocol."""
    found = json.loads(run("version", "-o", "json").out)
    assert (found["version"], found["python"]) == (__version__, platform.python_version())
    assert (found["protocol"]["oldest"], found["protocol"]["newest"]) == OURS.protocols
    said = run("version").out.splitlines()
    assert said[0].split() == ["version:", __version__]
