"""HTTP/2 without a socket: bytes in, events and bytes out.

limits      what one connection may cost
connection  the protocol library, bent where it does not fit
inbox       what has arrived and waits for its reader
outbox      what one stream still has to send
fields      headers and error codes as text
engine      one connection's two directions, joined
"""
