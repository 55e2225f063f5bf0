"""Which credentials a command has for a cluster: one rule for the programs and for ``ctl``."""

from __future__ import annotations

import os
from collections.abc import Mapping

from trio_argoagent.kube.credentials import Credentials, from_kubeconfig, in_cluster
from trio_argoagent.runtime.world import real_env


async def find_credentials(
    kubeconfig: str, kubecontext: str, environ: Mapping[str, str] = os.environ
) -> Credentials:
    """Those of the pod this runs in where neither file nor context is named; else of the kubeconfig.

    Args:
        kubeconfig: path; empty: ``$KUBECONFIG``, in a pod its service account, else ``~/.kube/config``.
        kubecontext: of the kubeconfig; empty: its current one.
        environ: where the kubeconfig, the pod's API server and a proxy may be named.

    Raises:
        UserError: there are none, or they cannot be used.
    """
    named = kubeconfig or kubecontext or environ.get("KUBECONFIG")
    if named or "KUBERNETES_SERVICE_HOST" not in environ:
        return await from_kubeconfig(kubeconfig, kubecontext, environ=environ, now=real_env().now)
    return in_cluster(environ)
