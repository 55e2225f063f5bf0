"""``trio-argoagent config``: what the options of a program come to."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import click

from trio_argoagent.cli.manifests import PARAMS
from trio_argoagent.cli.option_table import Typed, meant
from trio_argoagent.cli.output import rendered
from trio_argoagent.cli.running import USAGE, read_file, refuse
from trio_argoagent.cli.tables import table
from trio_argoagent.errors import UserError
from trio_argoagent.model import yamltext
from trio_argoagent.runtime.options import strays
from trio_argoagent.runtime.options.programs import AGENT, PROGRAMS
from trio_argoagent.runtime.options.reading import NO_KEYS, Check, Origin, Reading, Setting, read
from trio_argoagent.runtime.options.rows import Program

HIDDEN = "(hidden)"


@attrs.frozen
class _Verdict:
    reading: Reading
    mistakes: Sequence[str]


def run_show(program: Program, typed: Typed, config_map: str, output: str) -> None:
    """Print all values; mistakes follow on standard error."""
    verdict = _judge(program, typed, config_map)
    shown = [
        each
        for each in verdict.reading.settings
        if not each.option.unused or each.origin is not Origin.DEFAULT
    ]
    lines = [("OPTION", "VALUE", "FROM"), *((_name(each), _text(each), _from(each)) for each in shown)]
    click.echo(rendered(output, table(lines), [_document(each) for each in shown]))
    _leave(verdict)


def run_check(program: Program, typed: Typed, config_map: str) -> None:
    """Tell what is wrong, or how much is right."""
    verdict = _judge(program, typed, config_map)
    if not verdict.mistakes:
        given = sum(each.origin is not Origin.DEFAULT for each in verdict.reading.settings)
        click.echo(f"{program.name}: {given} options are set, and can be used together")
    _leave(verdict)


def _leave(verdict: _Verdict) -> None:
    for each in verdict.reading.remarks:
        click.echo(f"warning: {each}", err=True)
    for each in verdict.mistakes:
        click.echo(f"error: {each}", err=True)
    sys.exit(USAGE if verdict.mistakes else 0)


def _judge(program: Program, typed: Typed, config_map: str) -> _Verdict:
    environ: Mapping[str, str] = os.environ
    keys, mistakes = NO_KEYS, list(typed.mistakes)
    if config_map:
        environ = {}
        try:
            keys = _texts(read_config_map(config_map), mistakes)
        except UserError as exc:
            refuse([str(exc)])
        mistakes += _unknown(program, keys)
    reading = read(program, typed.texts, environ, keys)
    mistakes += reading.mistakes
    if not mistakes:
        mistakes += reading.contradictions(_checks(program), environ)
    return _Verdict(reading, mistakes)


def _checks(program: Program) -> Sequence[Check]:
    if program is AGENT:
        from trio_argoagent.cli.agent_settings import CHECKS as OF_AGENT

        return OF_AGENT
    from trio_argoagent.cli.principal_settings import CHECKS as OF_PRINCIPAL

    return OF_PRINCIPAL


def read_config_map(path: str) -> Mapping[str, Any]:
    """The data of the ConfigMap in a file: ``argocd-agent-params``, or the only one that is there.

    Raises:
        UserError: there is none, or it cannot be read.
    """
    try:
        documents = yamltext.load(read_file(path, "--config-map"))
    except yamltext.NotYaml as exc:
        raise UserError(f"--config-map: {path}: {exc}") from exc
    maps = [each for each in documents if isinstance(each, dict) and each.get("kind") == "ConfigMap"]
    named = [each for each in maps if _of(each, "metadata").get("name") == PARAMS]
    found = named or maps
    if len(found) != 1:
        raise UserError(f"--config-map: {path}: there must be one ConfigMap {PARAMS}, not {len(found)}")
    return _of(found[0], "data")


def _of(value: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    found = value.get(field)
    return found if isinstance(found, dict) else {}


def _texts(data: Mapping[str, Any], mistakes: list[str]) -> dict[str, str]:
    """The keys whose values are texts, as an API server takes them; the others are mistakes."""
    mistakes += [
        f"{key}: put the value in quotes: a ConfigMap holds texts only"
        for key, value in data.items()
        if not isinstance(value, str)
    ]
    return {key: value for key, value in data.items() if isinstance(value, str)}


def _unknown(program: Program, keys: Mapping[str, str]) -> list[str]:
    told = [*strays.unknown(program, keys)]
    told += [(key, "") for key in sorted(keys) if key.partition(".")[0] not in PROGRAMS]
    return [f"{key}: there is no such key{meant(like)}" for key, like in told]


def _name(setting: Setting) -> str:
    return setting.option.flag or setting.option.also[0]


def _text(setting: Setting) -> str:
    if setting.option.secret and setting.text:
        return HIDDEN
    return setting.option.shown if setting.origin is Origin.DEFAULT else setting.text or '""'


def _from(setting: Setting) -> str:
    return setting.where if setting.where not in ("", setting.option.flag) else setting.origin.value


def _document(setting: Setting) -> dict[str, Any]:
    hides = setting.option.secret and setting.text
    return {
        "option": _name(setting),
        "value": HIDDEN if hides else setting.text,
        "origin": setting.origin.value,
        "where": setting.where,
    }
