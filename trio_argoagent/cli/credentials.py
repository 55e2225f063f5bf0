"""Which credentials a program has for its own cluster."""

from __future__ import annotations

from trio_argoagent.kube.credentials import Credentials, from_kubeconfig, in_cluster
from trio_argoagent.runtime.world import real_env


async def find_credentials(kubeconfig: str, kubecontext: str) -> Credentials:
    """Those of the kubeconfig if one is named, else those of the pod this runs in.

    Raises:
        UserError: there are none, or they cannot be used.
    """
    if kubeconfig:
        return await from_kubeconfig(kubeconfig, kubecontext, now=real_env().now)
    return in_cluster()
