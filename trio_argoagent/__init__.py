"""trio-argoagent: one Argo CD over a fleet of clusters, on Trio.

One *principal* on the hub, one *agent* on every spoke; agents dial out over
mutual TLS and both keep Argo CD's objects in step as two one-way replicated
maps. Read the packages in this order:

    errors       what can go wrong, and whose fault it is
    model        values: keys, records, modes, Kubernetes objects
    ports        the seams: Cluster, Transport, Env
    sync         PURE: what differs, what to send, what to write
    stream       the link that carries the frames
    kube         the Cluster port over HTTP, and the informer
    apiserver    the embedded Kubernetes API server
    pki          certificates
    net          HTTP/2, HTTP/1.1 and TLS on Trio
    replication  the effects both programs share
    principal, agent   wiring
    testing      the shipped kit: fleet, simulated Argo CD, network, faults
"""

from trio_argoagent._version import __version__ as __version__
