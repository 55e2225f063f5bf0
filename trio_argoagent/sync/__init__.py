"""The replication rules, PURE: no I/O, no clock, no randomness; everything arrives as an argument.

A feed is a one-way replicated map ``key -> record`` with one ``Source`` and one ``Replica``: the same code
in both directions, for both modes and every kind. Nothing here queues events: a source knows *which keys
differ*, and the newest value is read when the link has room for it.

    names       annotations, labels and finalizers, as argocd-agent and Argo CD call them
    marker      what a copy says it holds
    digest      D and AP
    buckets     the 256-way hash both sides compare
    kinds       one table: what is replicated, where it lives, in which order
    mapping     hub names and specs <-> spoke names and specs
    projection  which part of an object a feed carries
    normalise   Argo CD's own spec normalisation
    source      what to send
    replica     what to apply, what to report
    plan        one record and one object -> the next write
    overlay     likewise for a status on an object the hub owns
    intents     sync, refresh, hydrate and terminate
"""
