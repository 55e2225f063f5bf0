"""``__main__`` of the one-file program: unpacks itself once into a cache, then runs from there.

Packages with native code cannot be imported from a zip file, and what is imported from one is compiled anew
at each start. So all of it is unpacked at the first start, into a directory named by the content's digest:
another version gets another one, and two processes at once do not disturb each other, because the directory
gets its name when it is whole.

Then Python starts anew from that directory: what a long-lived process has needed to read this file and to
compile what is in it, it would keep. For the same reason another process compiles, once.

This file is read by whichever Python it is started with: it keeps to what every Python 3 understands.
"""

import json
import os
import platform
import shutil
import stat
import subprocess
import sys
import tempfile
import time
import zipfile

CACHE = "TRIO_ARGOAGENT_CACHE"
"""The environment variable that names the directory to unpack into: a writable one, of this user's own."""
USAGE = 2
"""Exit code when this cannot run here, as everywhere in the program."""
OLDEST = 3, 11
"""The first Python for which such a file can be built."""
STALE = 3600.0
"""Seconds after which what an interrupted start has left behind is removed."""


NOT_COMPILED = (
    "aiohttp|apiserver|bench|cffi|charset_normalizer|dateutil|demo|google|kubernetes|markdown_it|multidict|oauthlib"
    "|pycparser|pydantic|pygments|requests|rich|testing|tzdata|urllib3|websocket|yaml|yarl"
)
"""Folders from which neither an agent nor a principal loads anything at first: two thirds of all files."""


class CannotRun(Exception):
    """Says why, and what to do."""


def main(archive):
    """Run what is in this archive.

    Args:
        archive: the path of the one file.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            index = json.loads(opened.read("index.json"))
            folders = ["common", choose(index["targets"], this_python(), this_machine())]
            place = find(os.environ.get(CACHE), "%s-%s" % (index["digest"][:16], folders[1]))
            if not is_there(place):
                unpack(opened, folders, place)
    except CannotRun as exc:
        sys.stderr.write("error: %s\n" % exc)
        sys.exit(USAGE)
    os.environ["PYTHONPATH"] = os.pathsep.join(  # For whatever it starts in its turn.
        filter(None, [place, os.environ.get("PYTHONPATH", "")])
    )
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable] + options() + [place] + sys.argv[1:])


def options():
    """The options that Python was started with, such as -I."""
    return sys.orig_argv[1 : len(sys.orig_argv) - len(sys.argv)]


def this_python():
    """The Python that runs this, such as 3.12."""
    return "%d.%d" % sys.version_info[:2]


def this_machine():
    """The machine's architecture and C library, such as x86_64 and x86_64-musl."""
    machine = {"arm64": "aarch64", "amd64": "x86_64"}.get(platform.machine().lower(), platform.machine())
    return machine if platform.libc_ver()[0] == "glibc" else machine + "-musl"


def choose(targets, python, machine):
    """The folder with native code for this Python on this machine.

    Args:
        targets: the folders by ``<Python>-<machine>``.
        python: as ``this_python`` says it.
        machine: as ``this_machine`` says it.

    Raises:
        CannotRun: there is none.
    """
    wanted = "%s-%s" % (python, machine)
    if wanted in targets:
        return targets[wanted]
    made = ", ".join("Python %s on %s" % tuple(name.split("-", 1)) for name in sorted(targets))
    text = "this file is for %s, and this is Python %s on %s: start it with such a Python" % (
        made,
        python,
        machine,
    )
    major, _, minor = python.partition(".")
    if (int(major), int(minor)) >= OLDEST:
        text += ", or build one with: make zipapp PYTHONS=%s PLATFORMS=%s" % (python, machine)
    raise CannotRun(text)


def find(named, name):
    """Where this is unpacked, or is to be.

    Args:
        named: the directory that the user has named for it, if any.
        name: within that.

    Raises:
        CannotRun: nowhere can be written to.
    """
    directories = [named] if named else usual()
    for directory in directories:
        if is_there(os.path.join(directory, name)):  # Maybe from an image, where nothing can be written.
            return os.path.join(directory, name)
    problems = []
    for directory in directories:
        try:
            return os.path.join(writable(directory), name)
        except CannotRun as exc:
            problems.append(str(exc))
    raise CannotRun("; ".join(problems))


def usual():
    """The directories that are tried if the user has named none."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    directories = [os.path.join(home, "trio-argoagent")]
    try:
        scratch = tempfile.gettempdir()
    except OSError:  # It has looked everywhere, and can write nowhere: a read-only root file system.
        return directories
    return directories + [os.path.join(scratch, "trio-argoagent-%d" % os.geteuid())]


def writable(directory):
    """This directory, made if there is none.

    Raises:
        CannotRun: it cannot be written to.
    """
    try:
        os.makedirs(directory, mode=0o700, exist_ok=True)
        if os.access(directory, os.W_OK | os.X_OK):
            return directory
        why = "no right to write there"
    except OSError as exc:
        why = exc.strerror
    raise CannotRun("cannot unpack into %s: %s; name a writable directory in %s" % (directory, why, CACHE))


def is_there(place):
    """Has it been unpacked before?

    Raises:
        CannotRun: somebody else has put something there.
    """
    try:
        found = os.lstat(place)
    except OSError:
        return False
    if stat.S_ISDIR(found.st_mode) and found.st_uid in (os.geteuid(), 0):
        return True
    raise CannotRun("%s was made by somebody else: name another directory in %s" % (place, CACHE))


def unpack(archive, folders, place):
    """Unpack these folders of the archive, one over the other, and give them their place when they are whole.

    Raises:
        CannotRun: the directory cannot be written to, or is full.
    """
    base = os.path.dirname(place)
    partial = ""
    try:
        sweep(base)
        partial = tempfile.mkdtemp(prefix=".unpacking-", dir=base)
        for entry in archive.infolist():
            folder, _, name = entry.filename.partition("/")
            if folder in folders:
                write(archive, entry, os.path.join(partial, name))
        bytecode(partial, place)
        os.rename(partial, place)
    except OSError as exc:
        shutil.rmtree(partial or os.devnull, ignore_errors=True)
        if not is_there(place):  # Else another process was faster.
            text = "cannot unpack into %s: %s; name a directory with room in %s"
            raise CannotRun(text % (base, exc.strerror, CACHE))


def write(archive, entry, path):
    """Write one file of the archive."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with archive.open(entry) as source, open(path, "wb") as target:
        shutil.copyfileobj(source, target)


def bytecode(partial, place):
    """Compile what is unpacked; what fails here is compiled when it is imported.

    The variable that keeps Python from writing bytecode is for directories of the user's: this one is ours.
    """
    command = [sys.executable, "-I", "-m", "compileall", "-q", "-x", "/(%s)/" % NOT_COMPILED]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    # From within: what is not compiled is told by its path, and above it a folder may be called anything.
    command += ["-s", ".", "-p", place, "."]
    with open(os.devnull, "w") as nowhere:
        subprocess.call(command, cwd=partial, env=environment, stdout=nowhere, stderr=nowhere)


def sweep(base):
    """Remove what starts have left behind that were interrupted long ago."""
    for name in os.listdir(base):
        path = os.path.join(base, name)
        if name.startswith(".unpacking-") and os.lstat(path).st_mtime < time.time() - STALE:
            shutil.rmtree(path, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[0])
