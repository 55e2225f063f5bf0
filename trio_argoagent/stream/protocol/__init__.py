"""What a link speaks, as pure functions of bytes: no waiting, no clock, no chance.

messages    the vocabulary, as frozen values
shapes      strict reading and writing of plain values; an error names the path
vocabulary  the one table: number on the wire, class, shape of each field
bodies      how the body of a record is encoded
codec       ``encode`` and ``decode``: a message and one frame
framing     frames in a stream of bytes
tunnels     which tunnels may be opened now
handshake   who may say what when; what two versions have in common
"""
