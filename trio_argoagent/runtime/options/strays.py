"""Environment variables that are none of a program's options, or only look as if they were.

Kubernetes gives each pod variables for each Service of its namespace: a Service argocd-agent-metrics makes
``ARGOCD_AGENT_METRICS_PORT=tcp://10.0.0.1:8181``, which is also how argocd-agent calls an option. Source:
Kubernetes, "Accessing the Service", Environment Variables.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from trio_argoagent.runtime.options.rows import Program

_LINK: Final = re.compile(r"(?:tcp|udp|sctp)://\S*")
_OF_SERVICE: Final = re.compile(
    r"\w+_(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)"
)
_LIKENESS: Final = 0.85
"""Of two variables, from which one is taken for the other misspelt."""
_COMMANDS: Final = frozenset(
    f"ARGOCD_AGENT_{half}_{what}" for half in ("PRINCIPAL", "AGENT") for what in ("CONTEXT", "NAMESPACE")
)
"""Of ``ctl``."""


def likest(name: str, known: Sequence[str], least: float = 0.6) -> str:
    """The name that this one is most like, if it is like any; empty: it is not.

    Args:
        name: that there is not.
        known: those that there are.
        least: likeness that counts, from 0 to 1 (difflib's ratio).
    """
    # Here: a program whose options are right need not carry it.
    import difflib

    return next(iter(difflib.get_close_matches(name, known, n=1, cutoff=least)), "")


def is_link(text: str) -> bool:
    """Is this how Kubernetes writes the port of a Service?"""
    return _LINK.fullmatch(text) is not None


def unknown(program: Program, keys: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Keys that begin as this program's do and are none, each with the one that it looks like, if any."""
    known = [program.key(option) for option in program if option.key]
    for key in sorted(keys):
        if key.partition(".")[0] == program.name and key not in known:
            yield key, likest(key, known)


def misspelt(program: Program, environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Variables that are no options of this program, each with the one that it looks like."""
    known = [variable for option in program for variable in program.variables(option)]
    for name in sorted(environ):
        if not name.startswith(f"{program.prefix}_") or name in known or name in _COMMANDS:
            continue
        if _OF_SERVICE.fullmatch(name) or is_link(environ[name]):
            continue
        if meant := likest(name, known, _LIKENESS):
            yield name, meant
