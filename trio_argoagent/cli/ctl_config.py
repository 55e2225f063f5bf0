"""``trio-argoagent ctl config``: edits ctl.conf."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import attrs
import click

from trio_argoagent.cli import ctlconf
from trio_argoagent.cli.contexts import NAMESPACE
from trio_argoagent.cli.ctlconf import Entry, Names
from trio_argoagent.cli.running import USAGE
from trio_argoagent.cli.tables import table
from trio_argoagent.errors import UserError
from trio_argoagent.kube.kubeconfig import Kubeconfig


def run_create(*, kubeconfig_path: str, output_path: str, force: bool) -> None:
    """Make the file, asking a person."""

    def work() -> str:
        if os.path.exists(ctlconf.file_of(output_path)) and not force:
            raise UserError(f"{output_path} exists; to replace it: --force")
        names = _asked(list(Kubeconfig.read(kubeconfig_path).entries["contexts"]))
        return f"written: {ctlconf.write(output_path, names)}"

    _say(work)


def run_add(*, kind: str, name: str, context: str, namespace: str, set_default: bool, config: str) -> None:
    """Add a name."""

    def work() -> str:
        names = ctlconf.read(config, new=True)
        if name in names.of(kind):
            raise UserError(f"{kind} {name} is there already; to change it: ctl config edit {kind}")
        file = _write(config, names, kind, name, Entry(context, namespace), set_default=set_default)
        return f"added {kind} {name} to {file}"

    _say(work)


def run_edit(
    *, kind: str, name: str, context: str | None, namespace: str | None, set_default: bool, config: str
) -> None:
    """Change what a name means; what is not given stays."""

    def work() -> str:
        names = ctlconf.read(config)
        old = _find(names, kind, name, config)
        new = Entry(
            old.context if context is None else context, old.namespace if namespace is None else namespace
        )
        return f"changed {kind} {name} in {_write(config, names, kind, name, new, set_default=set_default)}"

    _say(work)


def run_delete(*, kind: str, name: str, config: str) -> None:
    """Take a name out."""

    def work() -> str:
        names = ctlconf.read(config)
        _find(names, kind, name, config)
        if kind == "principal" and names.default == name:
            raise UserError(f"{name} is the default principal: give another one --set-default first")
        return f"deleted {kind} {name} from {ctlconf.write(config, names.put(kind, name, None))}"

    _say(work)


def run_list(*, kind: str | None, config: str) -> None:
    """Print the names."""

    def work() -> str:
        names = ctlconf.read(config)
        lines = [("COMPONENT", "NAME", "CONTEXT", "NAMESPACE", "DEFAULT")]
        for each in (kind,) if kind else ctlconf.KINDS:
            for name, entry in names.of(each).items():
                default = "yes" if each == "principal" and name == names.default else ""
                lines.append((each, name, entry.context, entry.namespace, default))
        return table(lines)

    _say(work)


def _find(names: Names, kind: str, name: str, config: str) -> Entry:
    found = names.of(kind).get(name)
    if found is None:
        raise UserError(f"{config or ctlconf.USUAL} names no {kind} {name}")
    return found


def _write(config: str, names: Names, kind: str, name: str, entry: Entry, *, set_default: bool) -> Path:
    names = names.put(kind, name, entry)
    return ctlconf.write(config, attrs.evolve(names, default=name) if set_default else names)


def _asked(contexts: list[str]) -> Names:
    """What a person says of each context."""
    names = Names()
    for context in contexts:
        choice = click.Choice((*ctlconf.KINDS, "neither"))
        kind = click.prompt(f"Context {context}: what is it?", type=choice, default="neither")
        if kind == "neither":
            continue
        name = click.prompt(f"What is this {kind} called?", default=context)
        namespace = click.prompt("Argo CD's namespace there?", default=NAMESPACE)
        names = names.put(kind, name, Entry(context, namespace))
    if names.principals:
        choice = click.Choice(tuple(names.principals))
        default = click.prompt(
            "Which principal is the default?", type=choice, default=next(iter(names.principals))
        )
        names = attrs.evolve(names, default=default)
    return names


def _say(work: Callable[[], str]) -> None:
    try:
        click.echo(work())
    except UserError as exc:
        click.echo(f"error: {exc}", err=True)
        sys.exit(USAGE)
