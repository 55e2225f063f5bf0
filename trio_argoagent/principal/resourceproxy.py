"""The port at which the hub's Argo CD looks for the spokes' own resources: it says why there are none.

The cluster secrets name it as the agents' API server. Without anybody there Argo CD's server would wait and
show a connection error; a Status is shown as it is, and at once.
"""

from __future__ import annotations

from typing import Final

import msgspec

from trio_argoagent.model.identity import is_dns_label
from trio_argoagent.net.http import Exchange

AGENT: Final = "agentName"
"""The query parameter that names the agent, in the server URL of its cluster secret."""
RETRY_AFTER: Final = 3600
"""Seconds: asking again soon changes nothing."""


async def answer(exchange: Exchange) -> None:
    """A ``Handler``: 503 with a Kubernetes Status, whatever is asked for."""
    asked = exchange.request.query.get(AGENT, [""])[0]
    whose = f"agent {asked!r}" if is_dns_label(asked) else "an agent"
    text = (
        f"live resources of {whose} are not available through this principal: its resource proxy is not"
        " offered yet; look at the cluster itself"
    )
    status = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": text,
        "reason": "ServiceUnavailable",
        "details": {"retryAfterSeconds": RETRY_AFTER},
        "code": 503,
    }
    headers = (("content-type", "application/json"), ("retry-after", str(RETRY_AFTER)))
    await exchange.respond(503, headers, msgspec.json.encode(status))
