"""The one-file program: what it is made of, and what it does when it is started. No index is asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from tools.zipapp import bootstrap
from tools.zipapp.assemble import Clash, assemble, is_pure
from tools.zipapp.build import Failed, Wanted, build

HERE = f"{bootstrap.this_python()}-{bootstrap.this_machine()}"
BOOTSTRAP = Path(bootstrap.__file__).read_bytes()
PROGRAM = """
import sys, native
def main():
    print("ran", native.NAME, sys.argv[1:], __file__)
    if sys.flags.isolated and sys.flags.utf8_mode:
        print("isolated")
"""


def wheel(folder: Path, name: str, files: Mapping[str, str], stamp: int = 2000) -> Path:
    """A wheel with these files."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    with zipfile.ZipFile(path, "w") as opened:
        for file, content in files.items():
            opened.writestr(zipfile.ZipInfo(file, (stamp, 1, 1, 0, 0, 0)), content)
    return path


def program(folder: Path, stamp: int = 2000) -> list[Path]:
    """Two wheels: the program, and what it needs in native code."""
    ours = {
        "trio_argoagent/__init__.py": "",
        "trio_argoagent/cli.py": PROGRAM,
        "trio_argoagent/tests/test_it.py": "",
        "trio_argoagent-1.dist-info/RECORD": str(stamp),
    }
    return [
        wheel(folder, "trio_argoagent-1-py3-none-any.whl", ours, stamp),
        wheel(folder, "native-1-cp311-cp311-linux.whl", {"native-1.data/platlib/native.py": "NAME = 'here'"}),
    ]


@pytest.fixture
def one_file(tmp_path: Path) -> Path:
    """The program for this Python, as one file."""
    path = tmp_path / "program.pyz"
    path.write_bytes(assemble({HERE: program(tmp_path / "wheels")}, BOOTSTRAP))
    return path


def start(path: Path, cache: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Start it as a user does."""
    environment = {**os.environ, bootstrap.CACHE: str(cache)}
    command = [sys.executable, str(path), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_equal_wheels_make_equal_bytes(tmp_path: Path) -> None:
    """Whenever they were made, and in whatever order they come."""
    one, other = program(tmp_path / "one"), program(tmp_path / "other", stamp=2020)
    assert assemble({HERE: one}, b"x") == assemble({HERE: other[::-1]}, b"x")
    assert assemble({HERE: one}, b"x") != assemble({HERE: one}, b"y")


def test_what_is_in_it(one_file: Path) -> None:
    """What is the same everywhere apart from what is not; no tests, and no list of what a wheel held."""
    with zipfile.ZipFile(one_file) as opened:
        assert opened.namelist() == [
            "__main__.py",
            "common/__main__.py",
            "common/trio_argoagent/__init__.py",
            "common/trio_argoagent/cli.py",
            "index.json",
            f"native-{HERE}/native.py",
        ]
    assert one_file.read_bytes().startswith(b"#!/usr/bin/env python3\n")


def test_wheels_that_do_not_fit_together(tmp_path: Path) -> None:
    """One name, two contents: neither is taken."""
    paths = [
        wheel(tmp_path, "a-1-py3-none-any.whl", {"same.py": "1"}),
        wheel(tmp_path, "b-1-py3-none-any.whl", {"same.py": "2"}),
    ]
    with pytest.raises(Clash, match=r"^b-1-py3-none-any\.whl has another common/same\.py"):
        assemble({HERE: paths}, b"")


def test_pure_wheels() -> None:
    """By their tag."""
    assert is_pure(Path("a-1-py3-none-any.whl")) and is_pure(Path("a-1-py2.py3-none-any.whl"))
    assert not is_pure(Path("a-1-cp39-abi3-manylinux_2_28_x86_64.whl"))


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        (Wanted(("otel", "everything")), r"^there is no extra everything: EXTRAS=otel "),
        (Wanted(lock=Path("nowhere.lock")), r"^there is no list nowhere\.lock: "),
        (Wanted(("otel",), Path(__file__)), " names all that goes into the file: leave EXTRAS out, or LOCK"),
    ],
    ids=["extra", "lock", "both"],
)
def test_what_cannot_be_built(tmp_path: Path, wanted: Wanted, why: str) -> None:
    """It is said in one line, before anything is fetched."""
    with pytest.raises(Failed, match=why):
        build(tmp_path / "one.pyz", [("3.11", "x86_64")], wanted)
    assert not list(tmp_path.iterdir())


def test_started_twice(one_file: Path, tmp_path: Path) -> None:
    """It is unpacked once, and the arguments arrive."""
    cache = tmp_path / "cache" / "deep"
    first = start(one_file, cache, "a", "b c")
    (place,) = cache.iterdir()
    assert first.stdout == f"ran here ['a', 'b c'] {place}/trio_argoagent/cli.py\n", first.stderr
    (place / "trio_argoagent" / "cli.py").write_text("def main(): print('from the cache')")
    assert start(one_file, cache).stdout == "from the cache\n"


def test_what_is_unpacked_is_compiled(
    one_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, whatever the environment says: else a process that lives long would carry a compiler's memory."""
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    start(one_file, tmp_path / "cache")
    (place,) = (tmp_path / "cache").iterdir()
    compiled = {path.name.partition(".")[0] for path in place.rglob("*.pyc")}
    assert compiled == {"__init__", "__main__", "cli", "native"}


def test_options_of_python_stay(one_file: Path, tmp_path: Path) -> None:
    """Python starts anew from what is unpacked, as it was started; an isolated one finds it as well."""
    environment = {**os.environ, bootstrap.CACHE: str(tmp_path / "cache")}
    for _ in range(2):
        command = [sys.executable, "-I", "-X", "utf8", str(one_file), "-I"]
        said = subprocess.check_output(command, env=environment, text=True, timeout=120)
        assert said.startswith("ran here ['-I'] ") and "isolated" in said


def test_another_content_has_another_place(one_file: Path, tmp_path: Path) -> None:
    """An upgrade does not run what the version before it has unpacked."""
    start(one_file, tmp_path / "cache")
    more = wheel(tmp_path / "more", "more-1-py3-none-any.whl", {"more.py": ""})
    one_file.write_bytes(assemble({HERE: [*program(tmp_path / "wheels"), more]}, BOOTSTRAP))
    assert start(one_file, tmp_path / "cache").returncode == 0
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_several_at_once(one_file: Path, tmp_path: Path) -> None:
    """Each runs, and one place is left."""
    environment = {**os.environ, bootstrap.CACHE: str(tmp_path / "cache")}
    command = [sys.executable, str(one_file)]
    running = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) for _ in range(4)]
    for each in running:
        assert each.communicate(timeout=120)[0].startswith(b"ran here")
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_for_another_python(one_file: Path, tmp_path: Path) -> None:
    """One line, which says what it is for and how to get another."""
    wheels = program(tmp_path / "wheels")
    one_file.write_bytes(assemble({"2.7-vax": wheels, "3.99-aarch64": wheels}, BOOTSTRAP))
    done = start(one_file, tmp_path / "cache")
    assert done.returncode == 2
    made = "Python 2.7 on vax, Python 3.99 on aarch64"
    assert done.stderr.startswith(f"error: this file is for {made}, and this is")
    assert done.stderr.count("\n") == 1 and "make zipapp" in done.stderr


@pytest.mark.parametrize(
    ("python", "helps"), [("2.7", False), ("3.10", False), ("3.11", True), ("3.14", True)]
)
def test_what_is_advised_can_be_done(python: str, helps: bool) -> None:
    """No file is built for a Python that the program does not run on."""
    with pytest.raises(bootstrap.CannotRun) as caught:
        bootstrap.choose({"3.12-vax": "native-3.12-vax"}, python, "vax")
    assert (f"make zipapp PYTHONS={python} PLATFORMS=vax" in str(caught.value)) is helps
    assert f"this is Python {python} on vax: start it with such a Python" in str(caught.value)


def test_nowhere_to_unpack(one_file: Path, tmp_path: Path) -> None:
    """One line that names the directory and the variable."""
    (tmp_path / "file").write_text("")
    done = start(one_file, tmp_path / "file" / "cache")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith(f"error: cannot unpack into {tmp_path}/file/cache: Not a directory; ")
    assert bootstrap.CACHE in done.stderr


def test_a_system_without_a_temporary_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A read-only root file system: the directory that is named is taken, or its variable asked for."""

    def none() -> str:
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr("tempfile.gettempdir", none)
    assert bootstrap.find(str(tmp_path), "x") == str(tmp_path / "x")
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(bootstrap.CannotRun, match=f"name a writable directory in {bootstrap.CACHE}$"):
        bootstrap.find(None, "x")


def test_what_somebody_else_has_put_there_is_not_run(one_file: Path, tmp_path: Path) -> None:
    """A link in the place of the unpacked program is refused, wherever it leads."""
    cache = tmp_path / "cache"
    start(one_file, cache)
    (place,) = cache.iterdir()
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    done = start(one_file, cache)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {place} was made by somebody else")


def test_what_interrupted_starts_leave(tmp_path: Path) -> None:
    """It is removed once nobody can be at it any more."""
    old, new, other = (tmp_path / name for name in (".unpacking-old", ".unpacking-new", "else"))
    for each in (old, new, other):
        each.mkdir()
    os.utime(old, (0, 0))
    os.utime(other, (0, 0))
    bootstrap.sweep(str(tmp_path))
    assert not old.exists() and new.exists() and other.exists()


def test_a_new_way_to_start_needs_no_new_place(one_file: Path, tmp_path: Path) -> None:
    """The place is named by what is unpacked into it, and by nothing else."""
    with zipfile.ZipFile(one_file) as opened:
        digest = json.loads(opened.read("index.json"))["digest"]
    one_file.write_bytes(assemble({HERE: program(tmp_path / "wheels")}, b"another start"))
    with zipfile.ZipFile(one_file) as opened:
        assert json.loads(opened.read("index.json"))["digest"] == digest
