"""Each option of the table is read by its program, and nothing is read that is not in it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import attrs
import pytest

from trio_argoagent import cli
from trio_argoagent.cli.auth_options import AuthOptions, CredsOptions
from trio_argoagent.cli.link_tls_options import AgentTls, PrincipalTls
from trio_argoagent.cli.observing_options import ObservingOptions
from trio_argoagent.cli.proxy_options import ProxyOptions
from trio_argoagent.cli.redis_options import RedisOptions
from trio_argoagent.cli.tracing import TracingOptions
from trio_argoagent.runtime.options.programs import PROGRAMS
from trio_argoagent.runtime.options.rows import Program

FOLDER = Path(cli.__file__).parent
READ = re.compile(r'values\["(\w+)"\]')
NOT_OPTIONS = {"program"}
"""Fields of such values that are made of something else."""
REFUSED = {"ha_enabled"}
"""Options that may only be off: there is nothing to read."""
PICKED: dict[str, tuple[tuple[Any, str], ...]] = {
    "principal": (
        (AuthOptions, ""), (PrincipalTls, ""), (ProxyOptions, ""), (ObservingOptions, ""),
        (TracingOptions, ""), (RedisOptions, "redis_"),
    ),
    "agent": (
        (CredsOptions, ""), (AgentTls, ""), (ObservingOptions, ""), (TracingOptions, ""),
        (RedisOptions, "redis_"),
    ),
}  # fmt: skip
"""What is made of the values of the options that its fields are called as (``pick``)."""


def read_of(program: Program) -> set[str]:
    """The names of options that the source of a program reads; not what only the other one does."""
    found = {
        begins + field.name
        for kind, begins in PICKED[program.name]
        for field in attrs.fields(kind)
        if field.name not in NOT_OPTIONS
    }
    others = {name for name in PROGRAMS if name != program.name}
    for path in sorted(FOLDER.glob("*.py")):
        if path.stem.partition("_")[0] not in others:
            found |= {*READ.findall(path.read_text(encoding="utf-8"))}
    return found


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_every_option_is_read(program: Program) -> None:
    """But for those that say that they have no effect."""
    works = {option.name for option in program if not option.unused} - REFUSED
    assert works - read_of(program) == set()


def test_nothing_else_is_read() -> None:
    """A name that is in neither table would end the program that reads it."""
    known = {option.name for program in PROGRAMS.values() for option in program}
    assert set().union(*map(read_of, PROGRAMS.values())) - known == set()
