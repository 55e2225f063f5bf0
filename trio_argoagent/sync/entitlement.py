"""Which agent gets a repository's credentials: only one that has the AppProject that they are scoped to.

Argo CD calls a repository project-scoped when its Secret names a project in ``data.project``. One that names
none is the hub's own, and goes nowhere: nothing says which cluster may have it.

An agent that is to lose credentials must really lose them, without a person's word. A hub that has lost its
AppProjects must not take the credentials off every spoke. What tells the two apart is whether something that
stands says no, or something is merely missing.
"""

from __future__ import annotations

import base64
import binascii
import enum
from typing import Final

from trio_argoagent.model.objects import Object

MAX_PROJECT: Final = 253
"""Characters of an AppProject's name."""


class Entitlement(enum.Enum):
    """What an agent may have of one Secret."""

    GRANTED = "granted"
    DENIED = "denied"
    """The Secret names no project, or one that stands and is not this agent's."""
    ORPHANED = "orphaned"
    """The project that it names is missing."""


def project_of(secret: Object) -> str:
    """The AppProject that this Secret is scoped to; empty: none, or nothing that could be one's name."""
    told = (secret.get("data") or {}).get("project")
    if not isinstance(told, str):
        return ""
    try:
        name = base64.b64decode(told, validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return ""
    return name if len(name) <= MAX_PROJECT else ""


def entitlement(named: str, exists: bool, is_theirs: bool) -> Entitlement:
    """May an agent have a Secret?

    Args:
        named: the project that it is scoped to; empty: none.
        exists: is there such a project on the hub?
        is_theirs: does the agent get that project?
    """
    if not named:
        return Entitlement.DENIED
    if not exists:
        return Entitlement.ORPHANED
    return Entitlement.GRANTED if is_theirs else Entitlement.DENIED
