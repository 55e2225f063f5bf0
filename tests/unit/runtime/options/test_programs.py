"""The table itself: what each row of it must be."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import pytest

from trio_argoagent.runtime.options.programs import PROGRAMS
from trio_argoagent.runtime.options.reading import read
from trio_argoagent.runtime.options.rows import Option, Program

ROWS = [
    pytest.param(program, option, id=f"{program.name} {option.name}")
    for program in PROGRAMS.values()
    for option in program
]


def twice(names: Iterator[str]) -> list[str]:
    """What is there more than once."""
    return [name for name, count in Counter(names).items() if name and count > 1]


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_nothing_is_said_twice(program: Program) -> None:
    """Neither a value nor a flag, a variable, a key or a part."""
    assert twice(option.name for option in program) == []
    flags = (flag for option in program for flag in (option.flag, option.short, option.negative))
    assert twice(flags) == []
    assert twice(name for option in program for name in program.variables(option)) == []
    assert twice(program.key(option) for option in program) == []
    assert twice(part.title for part in program.parts) == []


@pytest.mark.parametrize(("program", "option"), ROWS)
def test_a_row(program: Program, option: Option) -> None:
    """Names as such things are called, a help that is a sentence, a default that is a value."""
    assert re.fullmatch(r"(--[a-z][a-z0-9-]*[a-z0-9])?", option.flag)
    assert option.flag or (option.unused and option.also), "all that does something has a flag"
    assert re.fullmatch(r"(-[a-z])?", option.short)
    assert re.fullmatch(r"([A-Z][A-Z0-9_]*[A-Z0-9])?", option.variable)
    assert re.fullmatch(r"([a-z0-9-]+(\.[a-z0-9-]+)*)?", option.key)
    assert option.help[0].isupper() and option.help[-1] in ".?"
    assert option.name.isidentifier()
    assert option.negative in ("", f"--no-{option.flag[2:]}")
    assert not option.negative or option.kind.is_switch
    assert option.unused[-1:] != ".", "it is the end of a sentence"
    assert not option.key or option.variable, "a key reaches the program by its variable"
    if option.default is None:
        assert option.unused or not option.kind.is_switch
    else:
        option.kind.parse(option.default)


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_names_of_programs(program: Program) -> None:
    """Variables and keys begin as argocd-agent's do, but for those that others share."""
    shared = re.compile(r"KUBECONFIG|REDIS_[A-Z_]+")
    for option in (each for each in program if each.flag):
        for variable in program.variables(option):
            assert variable.startswith(f"ARGOCD_{program.name.upper()}_") or shared.fullmatch(variable)
        assert program.key(option).startswith(f"{program.name}.") or not option.key


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_secrets_are_no_settings(program: Program) -> None:
    """What nobody may see does not stand in a ConfigMap, nor in what is shown of a reading."""
    secret = [option for option in program if option.secret]
    reading = read(program, {option.name: "hunter2" for option in secret}, {})
    assert secret and "hunter2" not in repr(reading)
    assert [option.flag for option in secret if option.key] in ([], ["--creds"])  # As argocd-agent has it.
