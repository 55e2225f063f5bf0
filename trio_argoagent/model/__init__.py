"""Values everything else speaks in. No I/O, no clock, no decisions: parse and format only.

keys         what names a replicated thing: ``Key``, ``Kind``
records      what a feed carries: ``Record``, ``Result``, ``Holding``
objects      a Kubernetes object as it was read: ``Object``, ``Meta``
resources    where a kind lives in the API: ``Resource``
rv           the one place that orders resourceVersions
identity     modes, names and who a peer is
fingerprints of certificates, as people write them
"""
