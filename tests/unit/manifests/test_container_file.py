"""The container file, as far as it can be judged without a builder."""

from __future__ import annotations

import re
import shlex
from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).parents[3]
LINES = (ROOT / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
STEPS = [line.partition(" ")[::2] for line in LINES if line and not line.startswith("#")]


def arguments(step: str) -> list[str]:
    """Of each step of that name."""
    return [rest for name, rest in STEPS if name == step]


def test_the_image_is_of_one_python_that_is_tested() -> None:
    """Both stages have the same, because an environment leads to its interpreter by path; no tag moves."""
    bases = {rest.partition(" AS ")[0] for rest in arguments("FROM")}
    assert len(bases) == 1 and len(arguments("FROM")) == 2
    found = re.fullmatch(r"python:(3\.\d+)-slim", bases.pop())
    assert found
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    assert f"Programming Language :: Python :: {found[1]}" in setup["metadata"]["classifiers"]


def test_what_is_copied_is_what_was_made() -> None:
    """The whole environment to the same place, and nothing of the source."""
    (made,) = (shlex.split(rest)[-1] for rest in arguments("RUN") if rest.startswith("python -m venv"))
    assert arguments("COPY") == [". .", f"--from=build {made} {made}"]
    (program,) = arguments("ENTRYPOINT")
    assert program == f'["{made}/bin/trio-argoagent"]'
    assert f'{made}/bin/pip install --no-cache-dir ".${{EXTRAS:+[$EXTRAS]}}"' in arguments("RUN")


def test_its_extras_are_those_of_the_package() -> None:
    """What the options of its manifests need is in it, unless whoever builds it says otherwise."""
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    (default,) = arguments("ARG")
    name, _, extras = default.partition("=")
    assert name == "EXTRAS" and {*extras.split(",")} <= {*setup["options.extras_require"]}


def test_it_runs_as_nobody_and_fetches_nothing_by_itself() -> None:
    """The user is a number, else Kubernetes cannot tell that it is not root; no address is loaded."""
    (user,) = arguments("USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    assert [name for name, _ in STEPS].index("USER") < [name for name, _ in STEPS].index("ENTRYPOINT")
    assert not arguments("ADD") and not any("http" in rest for _, rest in STEPS)
