"""What has just happened, for logs, screens and tests: values, told to whoever asked."""

from __future__ import annotations

from collections.abc import Callable

import attrs


@attrs.frozen
class Event:
    """One thing that happened.

    Attributes:
        name: lower-case words joined by hyphens; stable, so that logs can be searched for it.
        agent: whom it is about; empty: the program itself.
        text: one line for people.
        level: ``info``, ``warning`` or ``error``.
    """

    name: str
    agent: str
    text: str
    level: str = "info"


Observer = Callable[[Event], None]


def ignore(event: Event) -> None:
    """The observer that looks away."""
