"""Options of budgets: what an agent sends ahead, and what it may make the hub hold and write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from trio_argoagent.sync import allowance, flow

F = TypeVar("F", bound=Callable[..., Any])
MAX_RECORDS: Final = 65_536
MAX_BYTES: Final = 1024 * 1024 * 1024
MAX_OBJECTS: Final = 1_000_000
MAX_WRITES: Final = 10_000.0
"""A second."""


def share_options(command: F) -> F:
    """How much of the hub one agent may take."""
    options = (
        click.option(
            "--max-hub-writes",
            envvar="ARGOCD_PRINCIPAL_MAX_HUB_WRITES",
            default=0.0,
            show_default=True,
            type=click.FloatRange(0.0, MAX_WRITES),
            metavar="PER_SECOND",
            help="Writes to the hub on behalf of one agent; 0: as many as its share allows.",
        ),
        click.option(
            "--max-agent-objects",
            envvar="ARGOCD_PRINCIPAL_MAX_AGENT_OBJECTS",
            default=allowance.DEFAULT,
            show_default=True,
            type=click.IntRange(0, MAX_OBJECTS),
            metavar="N",
            help="Applications and AppProjects that one agent may make the hub hold; 0: any number.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


_BUDGET: Final = (
    ("records", flow.DEFAULT.records, MAX_RECORDS, "Statuses that are under way to the hub unanswered."),
    ("bytes", flow.DEFAULT.size, MAX_BYTES, "Likewise, of their bodies together."),
    ("cosmetic", flow.DEFAULT.cosmetic, MAX_RECORDS, "Likewise, those in which only time stamps changed."),
)


def budget_options(command: F) -> F:
    """How much of its statuses an agent sends before the hub has answered."""
    for name, default, most, text in reversed(_BUDGET):
        command = click.option(
            f"--status-budget-{name}",
            envvar=f"ARGOCD_AGENT_STATUS_BUDGET_{name.upper()}",
            default=default,
            show_default=True,
            type=click.IntRange(1, most),
            metavar="N",
            help=text,
        )(command)
    return command
