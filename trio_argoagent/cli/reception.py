"""Whom the principal's port lets in: what its listener, its desk and the principal itself agree on."""

from __future__ import annotations

import attrs

from trio_argoagent.model.rulings import Auditor
from trio_argoagent.principal.gatekeeper import Gatekeeper
from trio_argoagent.stream.admission import Admission, Identify


@attrs.frozen
class Reception:
    """See the module.

    Attributes:
        gatekeeper: who stays outside.
        admission: who somebody is, and whether he stays outside.
    """

    gatekeeper: Gatekeeper
    admission: Admission


def open_reception(identify: Identify, audit: Auditor, *, bans: bool = True) -> Reception:
    """One, for a principal.

    Args:
        identify: who asks.
        audit: told whom it turns away.
        bans: does misbehaviour lead to one?
    """
    gatekeeper = Gatekeeper(audit, bans=bans)
    return Reception(gatekeeper, Admission(identify, gatekeeper, audit, gatekeeper.strike))
