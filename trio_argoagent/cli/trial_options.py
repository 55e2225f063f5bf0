"""The options that ``simulate`` and ``chaos`` have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def fleet_options(most_agents: int, agents: str) -> Callable[[F], F]:
    """How large the fleet is.

    Args:
        most_agents: that it may have.
        agents: what to say of them.
    """

    def decorate(command: F) -> F:
        command = click.option(
            "--apps",
            default=None,
            show_default="4",
            type=click.IntRange(1, 1000),
            metavar="N",
            help="Applications of each agent at most.",
        )(command)
        return click.option(
            "--agents",
            default=None,
            show_default="2",
            type=click.IntRange(1, most_agents),
            metavar="N",
            help=agents,
        )(command)

    return decorate


def fault_option(command: F) -> F:
    """What may go wrong."""
    return click.option(
        "--faults",
        default=None,
        show_default="all",
        metavar="none|all|NAME,...",
        help="What may befall the fleet; a name that does not exist gets you the list.",
    )(command)


def seed_option(text: str) -> Callable[[F], F]:
    """What draws; ``text`` says more."""
    return click.option(
        "--seed", default=None, show_default="1", type=click.IntRange(0), metavar="S", help=text
    )


def json_option(command: F) -> F:
    """For programs."""
    return click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")(
        command
    )
