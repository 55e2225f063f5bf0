"""The embedded API server on the wire: HTTPS, good enough for kubectl and the official Python client.

serving     ``serve_api``: from listening sockets to requests; read this first
handler     ``ApiHandler``: one request, from its path to its answer
verbs       what each verb does
replies     answers in one piece, and the bodies of requests
watches     the answers that do not end by themselves
access      who is asking, and the kubeconfig that gets a client in
faults      faults that a test orders; misfortune: as requests meet them
"""

from trio_argoagent.apiserver.http.access import Access, kubeconfig
from trio_argoagent.apiserver.http.faults import Fault, Faults
from trio_argoagent.apiserver.http.handler import ApiHandler
from trio_argoagent.apiserver.http.serving import serve_api

__all__ = ["Access", "ApiHandler", "Fault", "Faults", "kubeconfig", "serve_api"]
