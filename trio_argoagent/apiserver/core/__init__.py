"""The embedded Kubernetes API server, pure: input and ``now`` in, frozen values out. Nothing here waits.

server      the facade: the log, controllers, statistics; read this first
reads       its verbs that look; writes: those that write
values      what it hands out: stored objects, pages, events, log entries
kinds       the core resources; definitions: those of a CRD; corerules: what no schema can say
writing     create and update: from what was sent to what is stored
meta        the rules of ``metadata``
schema      types, required fields, defaults, pruning; constraints: bounds, patterns, formats, anyOf;
            structural: is a definition's schema one that we take
patches     JSON and merge patches; strategic: those of the core kinds
tracking    server-side apply, and writes to what was applied; managers: its rules, who owns which field;
            structure: comparing and merging by type; fieldtypes, fieldsets: types, and sets of fields
deletion    finalizers and when an object is gone
collecting  what controllers do: namespaces, owner references, definitions
reading     lists and watches: which state they show; selectors; watching: one watch
registry    what is served now, and whether there is room for something new
store       collections, the one resourceVersion, the log; restoring: from a snapshot
failures    the Statuses, in Kubernetes' words

What the wire needs, and nothing else does:

routing     a path -> what is asked of which resource; options: the query
discovery   what there is; openapi: what it looks like
protobuf    the bodies that kubectl sends for core kinds
forms       which form of an answer was asked for
tables      objects as kubectl prints them; ages, jsonpath: their cells
reviews     who am I, and may I
statuses    an error as a Status
metrics     what it holds and has done, for Prometheus
"""
