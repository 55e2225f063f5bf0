"""How commands print what they have found: for people, or as a document for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])
TEXT, JSON, YAML = "text", "json", "yaml"
_FORMATS: Final = (TEXT, JSON, YAML)


def output_option(default: str = TEXT) -> Callable[[F], F]:
    """``-o``: the command gets ``output``. Where argocd-agentctl has the command, the default is its own."""
    return click.option(
        "-o",
        "--output",
        default=default,
        show_default=True,
        type=click.Choice(_FORMATS),
        help="For people, or for programs.",
    )


def rendered(output: str, text: str, document: Any) -> str:
    """What is printed, as the user wants it.

    Args:
        output: one of the values of ``-o``.
        text: for people.
        document: the same as a plain JSON value.
    """
    if output == JSON:
        return json.dumps(document, indent=2)
    if output == YAML:
        import yaml  # Slow to load, and seldom wanted.

        return yaml.safe_dump(document, sort_keys=False).rstrip("\n")
    return text


def fields(pairs: Iterable[tuple[str, str]]) -> str:
    """One field a line, the values below each other; empty values are left out."""
    given = [(name, value) for name, value in pairs if value]
    width = max((len(name) for name, _ in given), default=0) + 1
    return "\n".join(f"{name + ':':<{width}} {value}" for name, value in given)
