"""Whom the principal's port lets in: what its listener, its desk and the principal itself agree on."""

from __future__ import annotations

import attrs

from trio_argoagent.model.rulings import Auditor
from trio_argoagent.pki.names import agent_name
from trio_argoagent.principal.gatekeeper import Gatekeeper
from trio_argoagent.stream.admission import Admission, by_certificate


@attrs.frozen
class Reception:
    """See the module.

    Attributes:
        gatekeeper: who stays outside.
        admission: who somebody is, and whether he stays outside.
    """

    gatekeeper: Gatekeeper
    admission: Admission


def open_reception(audit: Auditor) -> Reception:
    """One, for a principal.

    Args:
        audit: told whom it turns away.
    """
    gatekeeper = Gatekeeper(audit)
    return Reception(gatekeeper, Admission(by_certificate(agent_name), gatekeeper))
