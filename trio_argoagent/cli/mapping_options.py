"""The options that say which objects go where; names and environment variables are argocd-agent's."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from trio_argoagent.model.selectors import LabelSelector
from trio_argoagent.sync.mapping import Style
from trio_argoagent.sync.patterns import Patterns

F = TypeVar("F", bound=Callable[..., Any])
_LABEL: Final = re.compile(r"(?P<key>[A-Za-z0-9./_-]+)=(?P<value>[A-Za-z0-9._-]*)")


def mapping_options(prefix: str, allowed: str) -> Callable[[F], F]:
    """What both programs have.

    Args:
        prefix: of the environment variables.
        allowed: help on the namespaces.
    """

    def decorate(command: F) -> F:
        options = (
            click.option(
                "--destination-based-mapping",
                "style",
                envvar=f"{prefix}_DESTINATION_BASED_MAPPING",
                is_flag=True,
                callback=lambda context, parameter, given: Style.DESTINATION if given else Style.NAMESPACE,
                help="The destination's name says which managed agent an Application is for; on both sides.",
            ),
            click.option(
                "--allowed-namespaces",
                envvar=f"{prefix}_ALLOWED_NAMESPACES",
                default=None,
                callback=_patterns,
                metavar="GLOB,/REGEX/,...",
                help=allowed,
            ),
            click.option(
                "--label-selector",
                "selector",
                envvar=f"{prefix}_LABEL_SELECTOR",
                default="",
                callback=_selector,
                metavar="SELECTOR",
                help="Replicate only what this selects of the objects that this side owns, or asks for.",
            ),
        )
        return _decorated(command, options)

    return decorate


def agent_mapping_options(command: F) -> F:
    """What only an agent has."""
    options = (
        click.option(
            "--create-namespace",
            "creates_namespaces",
            envvar="ARGOCD_AGENT_CREATE_NAMESPACE",
            is_flag=True,
            help="Make allowed namespaces that Applications need; with --destination-based-mapping.",
        ),
        click.option(
            "--ignore-unmanaged-apps",
            "ignores_unmanaged",
            envvar="ARGOCD_AGENT_IGNORE_UNMANAGED_APPS",
            is_flag=True,
            help="Leave Applications alone that the hub did not make, also where it has one of that name.",
        ),
    )
    return _decorated(command, options)


def principal_mapping_options(command: F) -> F:
    """What only a principal has."""
    prefix = "ARGOCD_PRINCIPAL_NAMESPACE_CREATE"
    options = (
        click.option(
            "--namespace-create-enable",
            "create_namespaces",
            envvar=f"{prefix}_ENABLE",
            is_flag=True,
            help="Make the hub namespaces of autonomous agents.",
        ),
        click.option(
            "--namespace-create-pattern",
            "create_pattern",
            envvar=f"{prefix}_PATTERN",
            default="",
            callback=_expression,
            metavar="REGEX",
            help="Only those in whose name this is found.",
        ),
        click.option(
            "--namespace-create-labels",
            "create_labels",
            envvar=f"{prefix}_LABELS",
            default="",
            callback=_labels,
            metavar="KEY=VALUE,...",
            help="Labels that they get.",
        ),
    )
    return _decorated(command, options)


def _decorated(command: F, options: tuple[Callable[[F], F], ...]) -> F:
    for option in reversed(options):
        command = option(command)
    return command


def _patterns(context: click.Context, parameter: click.Parameter, text: str | None) -> Patterns | None:
    try:
        return Patterns.parse(text.split(",")) if text is not None else None
    except ValueError as exc:
        raise click.BadParameter(str(exc), context, parameter) from exc


def _selector(context: click.Context, parameter: click.Parameter, text: str) -> LabelSelector:
    try:
        return LabelSelector.parse(text)
    except ValueError as exc:
        raise click.BadParameter(str(exc), context, parameter) from exc


def _expression(context: click.Context, parameter: click.Parameter, text: str) -> str:
    try:
        re.compile(text)
    except re.error as exc:
        raise click.BadParameter(f"{text} is no regular expression: {exc}", context, parameter) from exc
    return text


def _labels(context: click.Context, parameter: click.Parameter, text: str) -> tuple[tuple[str, str], ...]:
    found = []
    for each in filter(None, map(str.strip, text.split(","))):
        label = _LABEL.fullmatch(each)
        if label is None:
            raise click.BadParameter(f"{each!r} is no label; write key=value", context, parameter)
        found.append((label["key"], label["value"]))
    return tuple(found)
