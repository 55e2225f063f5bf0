"""The agent: wiring only.

run ── informers
── workers (desired -> cluster)
── refresher
── uplink: forever { scope LINK { dial, handshake; reader, writer, keepalive } ; wait }
"""

from trio_argoagent.agent.program import Agent as Agent
from trio_argoagent.agent.program import AgentStatus as AgentStatus
