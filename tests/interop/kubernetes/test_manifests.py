"""A real API server accepts the shipped manifests, each field of them."""

from __future__ import annotations

import pytest

from trio_argoagent.cli.manifests import built
from trio_argoagent.cli.manifests_command import COMPONENTS, OVERLAYS
from trio_argoagent.kube.credentials import from_kubeconfig
from trio_argoagent.kube.session import open_session

from .installing import apply

RIGHTS = tuple(each for each in COMPONENTS if each != "monitoring")
"""Of the kinds of that one a server without the Prometheus operator knows nothing."""


@pytest.mark.parametrize("components", [(), RIGHTS], ids=["plain", "with components"])
@pytest.mark.parametrize("overlay", OVERLAYS)
async def test_it_is_accepted(kubeconfig: str, overlay: str, components: tuple[str, ...]) -> None:
    """With strict field validation; nothing is stored."""
    async with open_session(await from_kubeconfig(kubeconfig, "hub")) as session:
        await apply(session, built(overlay, components, namespace="default"), dry=True)
