"""The kit for tests, the simulator, the demo and the benchmarks; it is shipped, and this is its public face.

What happens to my fleet when ...? A test asks, in virtual time and in one process, and gets the same
answer each time. With the package installed pytest knows the fixtures ``fleet``, ``hub`` and ``agents``
(``plugin``):

    @pytest.mark.fleet(managed=("east",), autonomous=("edge",), seed=1)
    async def test_a_cut(fleet):
        await fleet.apply(application("web", namespace="east", syncPolicy=automated()))
        await fleet.wait_synced()
        fleet.cut("east")
        ...

The names below can be imported from here; they are loaded when they are first used.

===================  =====================================================================================
``Fleet``            a hub, its principal, and spokes with an agent and an Argo CD each; what can befall them
``SpokePlan``        one spoke before it is built: name, mode, settings of its Argo CD
``open_fleet``       a fleet that runs while a context is open
``simulate``         runs a program in virtual time, under a schedule that follows from a seed
``Snapshot``         what all clusters hold at one moment
``application``      a sample Application; ``automated``: its auto-sync; ``app_project``: a sample AppProject
``Settings``         what an application-controller does; ``Dialect``: of which Argo CD
``World``            what is deployed on a spoke, and how it is made to go wrong
``Faults``           shares of API calls that go wrong, for ``Fleet.set_faults``; ``NONE`` and ``ROUGH``
``Network``          the Transport port in memory;  ``Way``: what else links of a fleet may travel on
``Tear``               how ``Fleet.tear`` ends a link
``first_divergence``   where two runs part; ``Recorder`` notes every step of one
``ClusterContract``, ``TransportContract``, ``TroubleContract``, ``TunnelContract``   suites for other
                     implementations of the ports
===================  =====================================================================================

What the names are made of:

argocd        simulated Argo CD programs and the workload they manage
contracts     what every implementation of the Cluster port must do
transport_contract   likewise for the Transport port;  transport_troubles: when it is cut short;
              tunnel_contract: for its tunnels
scheduling    virtual time under a seeded schedule
pipes         one direction of a connection in memory, and its ends
conditions    what a network does to connections, whatever travels on them
network       the Transport port in memory: whole frames (level 1)
tunnels       tunnels beside its links
wire          likewise: the product's HTTP/2 over bytes that are cut anywhere (level 2)
forwardproxy  a proxy that does CONNECT, over any byte stream
digging       tunnels as work in the background of a trial
steps         every step of a run
divergence    where two runs part
faults        a Kubernetes API that misbehaves
hindrance     a program that is paused, an API server that is throttled
programs      a process that can be killed and started again
outages       what a test can do to a fleet
fleet         a whole fleet in one process
storms        large fleets, all of whose agents dial again at once
user          what a user does with a cluster by hand
snapshot      what all clusters hold, to be compared and read
plugin        the fixtures
oracle        do both sides hold the same?
proofs        do the programs know it?
monitors      what must hold at every write, from the API servers' logs
workload      what people and pipelines do to a fleet
chaos         what befalls it
trial         one seed, from its beginning to its judgement
scenario      outages as files, and what must be so after them
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from trio_argoagent.testing.argocd.applications import app_project, application, automated
    from trio_argoagent.testing.argocd.names import Dialect, Settings
    from trio_argoagent.testing.argocd.world import World
    from trio_argoagent.testing.conditions import Tear
    from trio_argoagent.testing.contracts import ClusterContract
    from trio_argoagent.testing.divergence import first_divergence
    from trio_argoagent.testing.faults import NONE, ROUGH, Faults
    from trio_argoagent.testing.fleet import Fleet, SpokePlan, open_fleet
    from trio_argoagent.testing.network import Network
    from trio_argoagent.testing.networks import Way
    from trio_argoagent.testing.scheduling import simulate
    from trio_argoagent.testing.snapshot import Snapshot
    from trio_argoagent.testing.steps import Recorder
    from trio_argoagent.testing.transport_contract import TransportContract
    from trio_argoagent.testing.transport_troubles import TroubleContract
    from trio_argoagent.testing.tunnel_contract import TunnelContract

__all__ = [
    "NONE",
    "ROUGH",
    "ClusterContract",
    "Dialect",
    "Faults",
    "Fleet",
    "Network",
    "Recorder",
    "Settings",
    "Snapshot",
    "SpokePlan",
    "Tear",
    "TransportContract",
    "TroubleContract",
    "TunnelContract",
    "Way",
    "World",
    "app_project",
    "application",
    "automated",
    "first_divergence",
    "open_fleet",
    "simulate",
]

_HOMES: Final = {
    "argocd.applications": ("app_project", "application", "automated"),
    "argocd.names": ("Dialect", "Settings"),
    "argocd.world": ("World",),
    "conditions": ("Tear",),
    "contracts": ("ClusterContract",),
    "divergence": ("first_divergence",),
    "faults": ("NONE", "ROUGH", "Faults"),
    "fleet": ("Fleet", "SpokePlan", "open_fleet"),
    "network": ("Network",),
    "networks": ("Way",),
    "scheduling": ("simulate",),
    "snapshot": ("Snapshot",),
    "steps": ("Recorder",),
    "transport_contract": ("TransportContract",),
    "transport_troubles": ("TroubleContract",),
    "tunnel_contract": ("TunnelContract",),
}
"""Module -> the names that are taken from it."""


def __getattr__(name: str) -> Any:
    """Load a public name. Not at import: pytest loads ``plugin``, and so this package, in every run."""
    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
