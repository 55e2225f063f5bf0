"""The principal: wiring only.

run ── informers
── peers: per agent, outlives its links { source, workers, keeper }
── listener ── scope LINK { handshake; reader, writer, keepalive }
"""

from trio_argoagent.principal.program import Principal as Principal
from trio_argoagent.principal.status import PeerStatus as PeerStatus
