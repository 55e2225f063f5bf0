"""The link between an agent and the principal.

protocol  frames, messages and the order of the conversation: pure
link      frames over one HTTP/2 stream
tunnel    a stream of Trio over whatever carries bytes both ways;  tunnels: those of one link
dial      the agent's side of ``ports.transport``
listen    the principal's side
"""
