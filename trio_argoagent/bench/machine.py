"""What the figures were taken on, and how busy it was."""

from __future__ import annotations

import os
import platform
import ssl
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any, Final

PACKAGE: Final = "trio-argoagent"
_PACKAGES: Final = (
    PACKAGE,
    "trio",
    "h2",
    "msgpack",
    "msgspec",
    "cryptography",
    "kubernetes",
    "grpcio",
    "grpclib",
)


DIRTY: Final = "+"
"""At the end of a revision: with changes that are not committed."""
_REVISION: Final = ("git", "describe", "--always", f"--dirty={DIRTY}", "--exclude=*")

SERVER: Final = 0
CLIENT: Final = 1
"""Whose processors: a server and its client have different ones, so that neither waits for the other."""
PARTS: Final = 2


def pin(whose: int, pid: int = 0) -> None:
    """Keep a process, with all that it will start, on its part of the processors, where there are several.

    Args:
        whose: ``SERVER`` or ``CLIENT``.
        pid: of the process; 0: this one.
    """
    if pinned():
        os.sched_setaffinity(pid, sorted(os.sched_getaffinity(0))[whose::PARTS])


def pinned() -> bool:
    """Are there enough processors for that?"""
    return len(os.sched_getaffinity(0)) >= PARTS


def describe() -> dict[str, Any]:
    """This machine and its versions: nothing that names it or its user."""
    return {
        "cpu": cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "pinned": pinned(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "kernel": platform.release(),
        "load": round(os.getloadavg()[0], 2),
        "revision": revision(),
        "versions": versions(),
    }


def revision() -> str:
    """Of the checkout that this runs from; ``+``: with changes not committed; empty: it is installed."""
    checkout = Path(__file__).parents[2]
    if not (checkout / ".git").exists():
        return ""
    try:
        done = subprocess.run(_REVISION, cwd=checkout, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()


def cpu_model() -> str:
    """As the kernel calls it; else the architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def versions() -> dict[str, str]:
    """Of what the figures depend on; without those that are not installed."""
    found = {"python": platform.python_version(), "openssl": ssl.OPENSSL_VERSION.split()[1]}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
