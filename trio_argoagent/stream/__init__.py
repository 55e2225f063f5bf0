"""The link between an agent and the principal.

protocol  frames, messages and the order of the conversation: pure
link      frames over a stream of bytes, of HTTP/2 or of a WebSocket
tunnel    a stream of Trio over whatever carries bytes both ways;  tunnels: those of one link
dial      the agent's side of ``ports.transport``: TLS, HTTP/2;  listen: the principal's
explain   why there is no link, for people
webstream a stream of bytes over a WebSocket;  upgrade: how one comes about
websocket_dial, websocket_listen   both sides over WebSockets
"""
