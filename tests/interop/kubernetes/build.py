"""Build a real API server, its controllers and its store from Go modules, once, into a cache.

Debian ships no kube-apiserver, and its etcd is too old for progress notifications. The programs are the
projects' own; what stands here is their entry points and ``go.mod``, whose versions are the cache's key.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

PROGRAMS: Final = ("etcd", "apiserver", "controllers")
HERE: Final = Path(__file__).parent
SKIPPED: Final = 3
"""Exit code: they cannot be had here, which says nothing about them."""


def cache_folder() -> Path:
    """Where the programs of these versions are, or will be."""
    sources = [HERE / "go.mod", *(HERE / name / "main.go" for name in PROGRAMS)]
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "trio-argoagent" / f"kubernetes-{digest[:16]}"


def is_built(folder: Path) -> bool:
    """Are all of them there?"""
    return all((folder / name).is_file() for name in PROGRAMS)


def has_go() -> bool:
    """Is there a Go that runs?"""
    try:
        return subprocess.run(["go", "version"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def fetch(scratch: Path, environment: Mapping[str, str]) -> None:
    """Get the modules, and the Go that they ask for, where they are not in Go's caches.

    Raises:
        Unfetched: that is not possible here; says why.
    """
    sys.stderr.write("fetching Go modules ...\n")
    command = ["go", "list", "-deps", *(f"./{name}" for name in PROGRAMS)]
    done = subprocess.run(command, cwd=scratch, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise Unfetched(said[-1] if said else f"exit code {done.returncode}")


class Unfetched(Exception):
    """A module is neither here nor to be had."""


def build(folder: Path) -> None:
    """Build what is missing; about 11 CPU minutes and 5 GB of Go's own caches when nothing is there.

    Raises:
        Unfetched: a module is missing.
        subprocess.CalledProcessError: Go said why.
    """
    scratch = folder / "source"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    shutil.copy(HERE / "go.mod", scratch)
    for name in PROGRAMS:
        shutil.copytree(HERE / name, scratch / name)
    # ``mod``: go.mod names what we chose; Go itself adds what follows from that, in the copy.
    environment = os.environ | {"GOFLAGS": "-mod=mod -buildvcs=false", "CGO_ENABLED": "0"}
    fetch(scratch, environment)
    for number, name in enumerate(PROGRAMS, start=1):
        if (folder / name).is_file():
            continue
        sys.stderr.write(f"building {name} ({number} of {len(PROGRAMS)}) ...\n")
        command = ["go", "build", "-ldflags=-s -w", "-o", str(scratch / "done"), f"./{name}"]
        subprocess.run(command, cwd=scratch, env=environment, check=True)
        (scratch / "done").rename(folder / name)  # Whole, or not there.
    shutil.rmtree(scratch)


def main() -> int:
    """Build them, and print where they are."""
    folder = cache_folder()
    if not is_built(folder):
        if not has_go():
            sys.stderr.write("SKIPPED: real API servers are built with Go, which is not installed\n")
            return SKIPPED
        try:
            build(folder)
        except Unfetched as exc:
            sys.stderr.write(f"SKIPPED: the Go modules of real API servers cannot be fetched: {exc}\n")
            return SKIPPED
        except subprocess.CalledProcessError as exc:
            sys.stderr.write(f"go could not build them (exit code {exc.returncode})\n")
            return 1
    sys.stdout.write(f"{folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
