"""Checks of a spoke, and of how it fits the hub."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from trio_argoagent.cli.validation import argocd, asked, material
from trio_argoagent.cli.validation.checks import Check, Finding, Sight, fail, ok, warn
from trio_argoagent.cli.validation.registrations import blocked, chosen, value
from trio_argoagent.errors import UserError
from trio_argoagent.pki import bundles, inspection
from trio_argoagent.pki.inspection import Role
from trio_argoagent.sync.patterns import Patterns

_ISSUE: Final = "trio-argoagent ctl pki issue agent NAME --upsert"
_PROPAGATE: Final = "trio-argoagent ctl pki propagate"


def _ca(sight: Sight) -> Iterator[Finding]:
    if material.by_mesh(sight):
        yield ok("a mesh's proxies encrypt (principal.auth): it needs none")
        return
    try:
        found = material.roots(sight, asked.SPOKE_CA)
    except UserError as exc:
        yield fail(f"{exc}: {_PROPAGATE}")
        return
    for each in found.roots:
        yield from material.judged(
            each, Role.AUTHORITY, sight.now, sight.where(asked.SPOKE_CA), "see docs/agents.md"
        )


def _identity(sight: Sight) -> Iterator[Finding]:
    where = sight.where(asked.SPOKE_TLS)
    if material.by_mesh(sight):
        yield ok("a mesh's proxy says who the agent is (principal.auth): it needs none")
        return
    try:
        leaf = material.chain(sight, asked.SPOKE_TLS)[0]
        if not material.paired(leaf, material.held(sight, asked.SPOKE_TLS, "tls.key")):
            yield fail(f"{where}: certificate and key do not belong together: {_ISSUE}")
    except UserError as exc:
        yield fail(f"{exc}: {_ISSUE}")
        return
    yield from material.judged(leaf, Role.CLIENT, sight.now, where, _ISSUE, anonymous=True)
    try:
        material.name_of(sight, leaf)
    except UserError as exc:
        yield fail(f"{where}: {exc}: {_ISSUE}")
    if bundles.fingerprint(leaf) in blocked(sight):
        yield fail(f"{where}: the hub has blocked this certificate: {_ISSUE}")


def _trust(sight: Sight) -> Iterator[Finding]:
    """Each side must trust the CA of the other one's certificate; what cannot be read is told elsewhere."""
    try:
        chain, trusted = material.chain(sight, asked.SPOKE_TLS), material.roots(sight, asked.HUB_CA)
        if not material.is_issued(chain, trusted):
            yield fail(f"{sight.where(asked.SPOKE_TLS)}: the hub's CA has not issued it: {_ISSUE}")
        chain, trusted = material.chain(sight, asked.HUB_TLS), material.roots(sight, asked.SPOKE_CA)
        if not material.is_issued(chain, trusted):
            text = f"{sight.where(asked.SPOKE_CA)} lacks the CA of the principal's certificate"
            yield fail(f"{text}: {_PROPAGATE}")
    except UserError:
        return


def _registered(sight: Sight) -> Iterator[Finding]:
    name = _name(sight)
    if not name:
        return
    entry = next((each for each in chosen(sight) if each.agent == name), None)
    if entry is None:
        yield fail(f"the hub knows no agent {name}: trio-argoagent ctl agent create {name}")
        return
    mode = value(sight.one(asked.SPOKE_PARAMETERS), "agent.mode")
    if entry.pin is not None and mode and mode != entry.pin.mode:
        text = f"{name} is known as {entry.pin.mode}, and agent.mode says {mode}"
        yield fail(f"{text}: trio-argoagent ctl agent repin {name}")
    if entry.pin is not None and entry.pin.namespace != sight.namespaces[asked.SPOKE_TLS.side]:
        text = f"{name} is known with Argo CD in namespace {entry.pin.namespace} of the spoke"
        yield fail(f"{text}: trio-argoagent ctl agent repin {name}")


def _name(sight: Sight) -> str:
    """The agent's name, by its certificate; empty: not known."""
    try:
        return material.name_of(sight, material.chain(sight, asked.SPOKE_TLS)[0])
    except UserError:
        return ""


def _address(sight: Sight) -> Iterator[Finding]:
    host = value(sight.one(asked.SPOKE_PARAMETERS), "agent.server.address")
    if not host:
        return
    try:
        found = inspection.inspect(material.chain(sight, asked.HUB_TLS)[0], Role.SERVER, sight.now)
    except UserError:
        return
    if not material.serves(found, host):
        option = "--ip" if host.replace(".", "").isdigit() or ":" in host else "--dns"
        text = f"the agent dials {host}, which the principal's certificate does not name"
        yield fail(f"{text}: trio-argoagent ctl pki issue principal --upsert {option} {host}")


def _alike(sight: Sight) -> Iterator[Finding]:
    hub = value(sight.one(asked.HUB_PARAMETERS), "principal.destination-based-mapping").lower() == "true"
    spoke = value(sight.one(asked.SPOKE_PARAMETERS), "agent.destination-based-mapping").lower() == "true"
    if hub != spoke:
        sides = ("the principal", "the agent")
        has, lacks = sides if hub else reversed(sides)
        yield fail(f"{has} maps by destination and {lacks} does not: set destination-based-mapping on both")
    text = value(sight.one(asked.SPOKE_PARAMETERS), "agent.allowed-namespaces")
    try:
        Patterns.parse(text.split(","))
    except ValueError as exc:
        yield fail(f"ConfigMap {asked.PARAMETERS}: agent.allowed-namespaces: {exc}")
    if text and not spoke:
        yield warn("agent.allowed-namespaces says nothing without destination-based-mapping")


_BOTH: Final = (asked.SPOKE_TLS, asked.HUB_CA, asked.HUB_TLS, asked.SPOKE_CA)
CHECKS: Final = (
    Check("the agent's CA", (asked.SPOKE_CA, asked.HUB_PARAMETERS), _ca),
    Check("the agent's certificate", (asked.SPOKE_TLS, asked.HUB_BLOCKLIST, asked.HUB_PARAMETERS), _identity),
    Check("each side trusts the other's certificate", _BOTH, _trust),
    Check(
        "the hub knows the agent",
        (asked.SPOKE_TLS, asked.SPOKE_PARAMETERS, asked.HUB_CLUSTERS, asked.HUB_PARAMETERS),
        _registered,
    ),
    Check(
        "the principal's certificate names what the agent dials",
        (asked.SPOKE_PARAMETERS, asked.HUB_TLS),
        _address,
    ),
    Check("both sides map alike", (asked.HUB_PARAMETERS, asked.SPOKE_PARAMETERS), _alike),
    *argocd.SPOKE,
)
"""All that is looked at on a spoke; on its hub ``hub.CHECKS`` are looked at besides."""
