"""Argo CD's kinds: small definitions of our own, and a server that serves them.

The definitions name the fields that Argo CD 3.6 documents for Application, AppProject and ApplicationSet,
with their types and the required ones; what is deep and of no interest here (the sources' helm, kustomize,
directory and plugin, an ApplicationSet's generators and template) is kept as it is sent. As in Argo CD,
Application and AppProject have no status subresource, ApplicationSet has one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from importlib import resources
from typing import Any, Final

import msgspec

from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.core.store import HISTORY

_NAMES: Final = ("applications", "appprojects", "applicationsets")


def argocd_crds() -> Sequence[dict[str, Any]]:
    """The three CustomResourceDefinitions, fresh: the caller may change them."""
    folder = resources.files(__name__)
    return [msgspec.json.decode(folder.joinpath(f"{name}.json").read_bytes()) for name in _NAMES]


@cache
def _shared() -> Sequence[dict[str, Any]]:
    """The same for all servers, which never change what they are given."""
    return argocd_crds()


def argocd_server(*, entropy: Callable[[int], bytes], history: int = HISTORY, now: float = 0.0) -> ApiServer:
    """A server as a cluster with Argo CD's definitions installed has it.

    Args:
        entropy: see ``ApiServer``.
        history: see ``ApiServer``.
        now: wall seconds of the definitions' creation.
    """
    server = ApiServer(entropy=entropy, history=history, now=now)
    for crd in _shared():
        server.add_crd(crd, now=now)
    return server
