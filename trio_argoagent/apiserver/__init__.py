"""The embedded Kubernetes API server: enough of one for tests, simulations and the demo.

core    PURE: the server itself, ``core.server.ApiServer``
crds    Argo CD's definitions, small ones of our own, and a server that has them
http    HTTPS for kubectl, the official clients and our own
local   the ``Cluster`` port in process
"""
