"""From wheels to one file: the same wheels make the same bytes.

The file is a zip archive after a line that names the interpreter. In it are ``common/``, what is the same
everywhere, with what starts it once it is unpacked; a folder for each Python and machine with what is not;
``index.json``; and ``__main__.py``, which is ``bootstrap.py``. Names are sorted, times are those of no day,
and modes are all alike.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

INTERPRETER: Final = "/usr/bin/env python3"
"""What runs the file when it is started by itself."""
LARGEST: Final = 40 * 1024 * 1024
"""Bytes that the file for one Python and one machine may have."""
STARTED: Final = b"from trio_argoagent.cli import main\n\nmain()\n"
"""What Python runs in the directory that the file is unpacked into."""
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The first time that a zip file can say."""
_TESTS: Final = ("/_tests/", "/tests/", "/_core/_tests/")
"""Folders of packages' own tests."""


class Clash(Exception):
    """Two wheels hold different files of one name."""


def assemble(wheels: Mapping[str, Sequence[Path]], bootstrap: bytes) -> bytes:
    """The one file.

    Args:
        wheels: those that each target needs, by ``<Python>-<machine>``.
        bootstrap: the content of ``__main__.py``.

    Raises:
        Clash: two wheels of one target do not fit together.
    """
    folders = {target: f"native-{target}" for target in sorted(wheels)}
    files = {"common/__main__.py": STARTED}
    for target, paths in sorted(wheels.items()):
        for path in sorted(paths):
            folder = "common" if is_pure(path) else folders[target]
            for name, content in _content(path):
                _put(files, f"{folder}/{name}", content, path)
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        digest.update(hashlib.sha256(name.encode()).digest() + hashlib.sha256(content).digest())
    index = {"digest": digest.hexdigest(), "targets": folders}
    files["index.json"] = json.dumps(index, sort_keys=True, indent=1).encode()
    files["__main__.py"] = bootstrap
    return f"#!{INTERPRETER}\n".encode() + _zipped(files)


def is_pure(wheel: Path) -> bool:
    """Does this wheel fit every Python 3 on every machine (PEP 425)?"""
    return wheel.stem.endswith("-none-any")


def _put(files: dict[str, bytes], name: str, content: bytes, wheel: Path) -> None:
    if files.setdefault(name, content) != content:
        raise Clash(f"{wheel.name} has another {name} than a wheel before it")


def _content(wheel: Path) -> Iterable[tuple[str, bytes]]:
    """The files of a wheel by the names that they are imported by."""
    with zipfile.ZipFile(wheel) as opened:
        for entry in opened.infolist():
            name = entry.filename
            if entry.is_dir() or name.endswith(".dist-info/RECORD"):
                continue  # The record lists what the wheel was made of, which is not all that is here.
            head, _, rest = name.partition("/")
            if head.endswith(".data"):
                kind, _, rest = rest.partition("/")
                if kind not in ("purelib", "platlib"):
                    continue  # Programs and headers: nothing here is installed.
                name = rest
            if not any(part in f"/{name}" for part in _TESTS):
                yield name, opened.read(entry)


def _zipped(files: Mapping[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            archive.writestr(entry, content)
    return target.getvalue()
