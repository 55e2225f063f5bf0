"""The table itself: what each row of it must be."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import pytest

from trio_argoagent.runtime.options.programs import PROGRAMS
from trio_argoagent.runtime.options.reading import read
from trio_argoagent.runtime.options.rows import Program

from . import upstream


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


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_rows(program: Program) -> None:
    """Names as such things are called, a help that is a sentence, a default that is a value."""
    for option in program:
        assert re.fullmatch(r"(--[a-z][a-z0-9-]*[a-z0-9])?", option.flag), option
        assert re.fullmatch(r"(-[a-z])?", option.short), option
        assert re.fullmatch(r"([A-Z][A-Z0-9_]*[A-Z0-9])?", option.variable), option
        assert re.fullmatch(r"([a-z0-9-]+(\.[a-z0-9-]+)*)?", option.key), option
        assert re.fullmatch(r"[A-Z].*[.?]", option.help), option
        assert option.name.isidentifier(), option
        assert option.negative in ("", f"--no-{option.flag[2:]}"), option
        assert not option.negative or option.kind.is_switch, option
        assert option.flag or (option.unused and option.also), f"what does something has a flag: {option}"
        assert option.unused[-1:] != ".", f"it is the end of a sentence: {option}"
        assert not option.key or option.variable, f"a key reaches the program by its variable: {option}"


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_defaults(program: Program) -> None:
    """Each can be used, and each switch that does something has one."""
    reading = read(program, {}, {})
    assert [each for each in reading.mistakes if "say where" not in each] == []
    for option in program:
        assert option.default is not None or option.unused or not option.kind.is_switch, option


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_names_of_programs(program: Program) -> None:
    """Variables and keys begin as argocd-agent's do, but for those that others share."""
    shared = re.compile("|".join([r"KUBECONFIG|REDIS_[A-Z_]+", *upstream.AGENTS_OWN]))
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
