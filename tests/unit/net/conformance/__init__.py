"""RFC 9113, case by case: what a peer sends, and what may come back.

A case names its section, the frames, and every outcome that the RFC allows; what is tested is our server, or
our client, over memory and in virtual time.

case         how to read a case
opening      sections 3.4 to 4.3     states       section 5
frames       section 6               messages     sections 8.1 to 8.5
compression  RFC 7541                answers      what a server may do to a client
"""
