"""Build the one-file program: ``make zipapp``.

Beside it come two lists of what is in it: ``.lock``, for pip, with which the same file is built again bit for
bit, and ``.sbom.json`` (CycloneDX 1.5), for whoever asks what a file consists of.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from configparser import ConfigParser
from pathlib import Path
from typing import Final, NamedTuple

from tools.zipapp.assemble import LARGEST, Clash, assemble

TOP: Final = Path(__file__).parents[2]
GLIBC: Final = ("2_34", "2_28", "2_17", "2014")
"""The manylinux platforms that are taken, newest first: what Debian 12 and RHEL 9 offer."""
OLDEST: Final = 11
"""Of the Pythons 3.x that this runs on."""
OWN: Final = "trio_argoagent-"
"""How the name of our own wheel begins."""

_SOURCES: Final = ("LICENSE", "README.md", "pyproject.toml", "setup.cfg", "trio_argoagent")
"""What our own wheel is made of."""


class Failed(Exception):
    """Says why, and what to do."""


def main() -> None:
    """From the command line."""
    parser = argparse.ArgumentParser(prog="zipapp", description="Build trio-argoagent as one file.")
    parser.add_argument("--output", type=Path, default=TOP / "dist" / "trio-argoagent.pyz")
    parser.add_argument("--pythons", default="", help="such as '3.11 3.12'; default: the one that runs this")
    parser.add_argument("--platforms", default="", help="such as 'x86_64 aarch64'; default: this machine's")
    parser.add_argument("--extras", default="", help="of the package, such as 'otel'; default: none")
    parser.add_argument("--lock", type=Path, help="take exactly what this list of an earlier build names")
    parser.add_argument("--wheels", type=Path, help="take wheels from this folder alone")
    options = parser.parse_args()
    pythons = options.pythons.split() or [f"{sys.version_info[0]}.{sys.version_info[1]}"]
    machines = options.platforms.split() or [platform.machine()]
    wanted = Wanted(tuple(options.extras.replace(",", " ").split()), options.lock, options.wheels)
    try:
        build(options.output, [(p, m) for p in pythons for m in machines], wanted)
    except Failed as exc:
        sys.exit(f"error: {exc}")


class Wanted(NamedTuple):
    """What goes into the file, and where it comes from.

    Attributes:
        extras: of our package.
        lock: the list of an earlier build, which names all of it; None: what pip finds newest.
        wheels: a folder with all wheels; None: pip's index.
    """

    extras: Sequence[str] = ()
    lock: Path | None = None
    wheels: Path | None = None


def build(output: Path, targets: Sequence[tuple[str, str]], wanted: Wanted) -> None:
    """Write the file and its two lists.

    Args:
        output: the file; the lists lie beside it.
        targets: Pythons and machines.
        wanted: what is put into it.

    Raises:
        Failed: a wheel is not to be had, does not fit, or the file would be too large.
    """
    for python, _ in targets:
        if not re.fullmatch(r"3\.\d{1,2}", python) or int(python[2:]) < OLDEST:
            raise Failed(f"{python}: no Python that this runs on: name 3.{OLDEST} or newer ones")
    _check(wanted)
    with tempfile.TemporaryDirectory() as scratch:
        own = _own_wheel(Path(scratch))
        wheels = {}
        for python, machine in targets:
            place = Path(scratch) / f"{python}-{machine}"
            _fetch(own, place, python, machine, wanted)
            wheels[place.name] = sorted(place.glob("*.whl"))
        try:
            content = assemble(wheels, (Path(__file__).parent / "bootstrap.py").read_bytes())
        except Clash as exc:
            raise Failed(str(exc)) from exc
        if len(targets) == 1 and len(content) > LARGEST:
            raise Failed(f"the file would have {len(content):,} bytes: it may have {LARGEST:,}")
        digests = {target: {path.name: _digest(path) for path in paths} for target, paths in wheels.items()}
    _write(output, content)
    output.chmod(0o755)
    _write(output.with_suffix(".lock"), _lock(digests).encode())
    _write(output.with_suffix(".sbom.json"), _sbom(digests).encode())
    print(f"{output}: {len(content) / 1e6:.1f} MB, for {', '.join(wheels)}")
    print(f"sha256 {hashlib.sha256(content).hexdigest()}")


def _check(wanted: Wanted) -> None:
    lock, setup = wanted.lock, ConfigParser()
    setup.read(TOP / "setup.cfg")
    if unknown := {*wanted.extras} - {*setup["options.extras_require"]}:
        raise Failed(f"there is no extra {', '.join(sorted(unknown))}: EXTRAS=otel is what programs can use")
    if lock is not None and not lock.is_file():
        raise Failed(f"there is no list {lock}: leave LOCK out, or name the .lock of an earlier build")
    if lock is not None and wanted.extras:
        raise Failed(f"{lock} names all that goes into the file: leave EXTRAS out, or LOCK")


def _own_wheel(scratch: Path) -> Path:
    place, source = scratch / "own", scratch / "source"
    # A copy: setuptools would build in the checkout, and put what it finds of earlier builds into the wheel.
    source.mkdir()
    for name in _SOURCES:
        (shutil.copytree if (TOP / name).is_dir() else shutil.copy)(TOP / name, source / name)
    _pip("wheel", "--no-deps", "--wheel-dir", str(place), str(source))
    return next(place.glob("*.whl"))


def _fetch(own: Path, place: Path, python: str, machine: str, wanted: Wanted) -> None:
    """All wheels of one target.

    Pip judges what a package needs on which Python by the Python that it runs on itself, so a target whose
    needs differ has to be built there: with 3.14, which has zstd of its own.
    """
    command = ["download", "--only-binary=:all:", "--dest", str(place), "--python-version", python]
    for glibc in GLIBC:
        manylinux = f"manylinux{glibc}" if glibc == "2014" else f"manylinux_{glibc}"
        command += ["--platform", f"{manylinux}_{machine}"]
    if wanted.wheels is not None:
        command += ["--no-index", "--find-links", str(wanted.wheels)]
    if wanted.lock is None:
        _pip(*command, f"{own}[{','.join(wanted.extras)}]" if wanted.extras else str(own))
        return
    part = place.with_suffix(".txt")
    part.write_text(_section(wanted.lock, place.name))
    _pip(*command, "--no-deps", "--require-hashes", "--requirement", str(part))
    (place / own.name).write_bytes(own.read_bytes())


def _section(lock: Path, target: str) -> str:
    """What the list names for one target."""
    _, _, rest = lock.read_text().partition(f"# {target}\n")
    if not rest:
        raise Failed(f"{lock} is of a build without {target}: leave LOCK out, or build for what it names")
    return rest.partition("# ")[0]


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PIP_NO_INPUT": "1"})
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise Failed(f"pip {arguments[0]}: {(lines or [done.stderr.strip()])[-1].removeprefix('ERROR: ')}")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _name_and_version(wheel: str) -> tuple[str, str]:
    name, version = wheel.split("-")[:2]
    return name.replace("_", "-").lower(), version


def _lock(wheels: Mapping[str, Mapping[str, str]]) -> str:
    """For pip's --require-hashes, by target; our own wheel is not in it: it is built from the source."""
    lines = []
    for target, digests in sorted(wheels.items()):
        lines.append(f"# {target}")
        for wheel, digest in sorted(digests.items()):
            if not wheel.startswith(OWN):
                name, version = _name_and_version(wheel)
                lines.append(f"{name}=={version} --hash=sha256:{digest}")
    return "\n".join(lines) + "\n"


def _sbom(wheels: Mapping[str, Mapping[str, str]]) -> str:
    everything = {wheel: digest for digests in wheels.values() for wheel, digest in digests.items()}
    components = [_component(wheel, digest) for wheel, digest in sorted(everything.items())]
    document = {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": components}
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def _component(wheel: str, digest: str) -> Mapping[str, object]:
    name, version = _name_and_version(wheel)
    return {
        "type": "library",
        "name": name,
        "version": version,
        "purl": f"pkg:pypi/{name}@{version}",
        "hashes": [{"alg": "SHA-256", "content": digest}],
        "properties": [{"name": "wheel", "value": wheel}],
    }


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


if __name__ == "__main__":
    main()
