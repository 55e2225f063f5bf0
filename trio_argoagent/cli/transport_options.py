"""What links travel on; argocd-agent's name of the option."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def websocket_option(prefix: str, text: str) -> Callable[[F], F]:
    """Are there WebSockets?

    Args:
        prefix: of the environment variable.
        text: what it means for this program.
    """
    return click.option("--enable-websocket", envvar=f"{prefix}_ENABLE_WEBSOCKET", is_flag=True, help=text)
