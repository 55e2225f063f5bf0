"""What a link speaks, as pure functions of bytes: no waiting, no clock, no chance.

messages    the vocabulary, as frozen values
reasons     why one side says no
shapes      strict reading and writing of plain values; an error names the path
fields      the same for a whole message; compiled: as one function
vocabulary  the one table: number on the wire, class, shape of each field
payload     how the body of one record is encoded
bases       the bodies that later ones may refer to
freight     records and parts of them: what one end loads, the other unloads
codec       ``encode`` and ``decode``: a message and one frame
framing     frames in a stream of bytes
tunnels     which tunnels may be opened now
negotiation what two versions have in common
handshake   who may say what when
"""
