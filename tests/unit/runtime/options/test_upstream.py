"""Whatever argocd-agent takes is taken: each flag, variable and key, with a value that it has."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from trio_argoagent.runtime.options.programs import AGENT, PRINCIPAL
from trio_argoagent.runtime.options.reading import Origin, Reading, read
from trio_argoagent.runtime.options.rows import Program

from ...cli.parsing import NEEDED, reading_of
from ...manifests import upstream as keys
from . import upstream

BOTH = pytest.mark.parametrize(
    ("program", "facts"),
    [(PRINCIPAL, upstream.PRINCIPAL), (AGENT, upstream.AGENT)],
    ids=["principal", "agent"],
)


def origin(reading: Reading, flag: str) -> tuple[Origin, str]:
    """Where the value of an option comes from."""
    (found,) = (each for each in reading.settings if each.option.flag == flag)
    return found.origin, found.where


@BOTH
def test_flags(program: Program, facts: upstream.Facts) -> None:
    """As ``--flag=value``, the way in which every flag of Go may be written."""
    reading = reading_of(program, *(f"{flag}={value}" for flag, (_, value) in facts.items()))
    assert reading.mistakes == ()
    assert {flag: origin(reading, flag) for flag in facts} == {flag: (Origin.FLAG, flag) for flag in facts}


@BOTH
def test_variables(program: Program, facts: upstream.Facts) -> None:
    """Each by itself, because some count before others."""
    for flag, (suffix, value) in facts.items():
        if suffix:
            name = f"{program.prefix}_{suffix}"
            reading = read(program, {}, {**NEEDED[program.name], name: value})
            assert (reading.mistakes, origin(reading, flag)) == ((), (Origin.VARIABLE, name))
    for name, flag in upstream.UNPREFIXED.items():
        reading = read(program, {}, {**NEEDED[program.name], name: "x"})
        assert (reading.mistakes, origin(reading, flag)) == ((), (Origin.VARIABLE, name))


def test_variables_of_the_agent_that_are_called_as_the_principals() -> None:
    """They count where the agent's own name for it is not set."""
    for name, (flag, value) in upstream.AGENTS_OWN.items():
        given = {**NEEDED["agent"], name: value}
        reading = read(AGENT, {}, given)
        assert (reading.mistakes, origin(reading, flag)) == ((), (Origin.VARIABLE, name))
        own = name.replace("PRINCIPAL", "AGENT")
        assert origin(read(AGENT, {}, {**given, own: value}), flag) == (Origin.VARIABLE, own)


@pytest.mark.parametrize("program", [PRINCIPAL, AGENT], ids=["principal", "agent"])
def test_variables_without_a_flag(program: Program) -> None:
    """All of them do nothing here, and say so."""
    for name in upstream.WITHOUT_FLAG:
        reading = read(program, {}, {**NEEDED[program.name], name: "10"})
        assert reading.mistakes == ()
        (remark,) = reading.remarks
        assert remark.startswith(f"{name} has no effect: ")


@pytest.mark.parametrize(
    ("program", "mapped"), [(PRINCIPAL, keys.PRINCIPAL), (AGENT, keys.AGENT)], ids=["principal", "agent"]
)
def test_keys(program: Program, mapped: Mapping[str, str]) -> None:
    """Each stands for the variable that argocd-agent's manifests map it to."""
    ours = {variable: program.key(option) for option in program for variable in program.variables(option)}
    assert {name: ours.get(name) for name in mapped} == mapped
