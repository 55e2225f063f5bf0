"""What must hold for a program to be ready, and how that is told: in the form of kube-apiserver's /readyz."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import attrs

from trio_argoagent.net.protocol.fields import one_line
from trio_argoagent.runtime.redaction import redacted


@attrs.frozen
class Condition:
    """One thing that holds, or does not.

    Attributes:
        name: lower-case words joined by hyphens; stable, for it is part of a path.
        ok: does it hold?
        text: one line for people.
        counts: is a program for which it does not hold no use to anybody? Else it is only shown: a hub that
            is away is no reason to restart an agent, or to take away the address that a person asks.
    """

    name: str
    ok: bool
    text: str
    counts: bool = True


def holds(conditions: Sequence[Condition], excluded: Collection[str] = ()) -> bool:
    """Do all of them hold that count?

    Args:
        conditions: all there are.
        excluded: names that are not to count.
    """
    return all(each.ok or not each.counts or each.name in excluded for each in conditions)


def told(check: str, conditions: Sequence[Condition], excluded: Collection[str] = ()) -> str:
    """All of it in lines.

    Args:
        check: what is asked for, such as ``readyz``.
        conditions: a line each.
        excluded: see ``holds``.
    """
    return shown(conditions, excluded) + verdict(check, conditions, excluded)


def shown(conditions: Sequence[Condition], excluded: Collection[str] = ()) -> str:
    """The conditions, a line each; for the arguments see ``told``."""
    return "".join(line(_text(each, each.name in excluded)) for each in conditions)


def verdict(check: str, conditions: Sequence[Condition], excluded: Collection[str] = ()) -> str:
    """The last line; for the arguments see ``told``."""
    return f"{check} check {'passed' if holds(conditions, excluded) else 'failed'}\n"


def line(text: str) -> str:
    """A line about whatever it is: the words of others begin none of their own, and no secret is in them."""
    return one_line(redacted(text)) + "\n"


def _text(condition: Condition, excluded: bool) -> str:
    state = "ok" if condition.ok else "failed"
    if excluded:
        state = f"excluded, {state}"
    elif not (condition.ok or condition.counts):
        state = "failed, does not count"
    return f"[{'+' if condition.ok else '-'}]{condition.name} {state}: {condition.text}"
