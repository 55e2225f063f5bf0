"""Every combination of what hub and agent trust and show while a root takes over, in real handshakes."""

from __future__ import annotations

import itertools
import ssl
from typing import Final

import pytest

from trio_argoagent.net.contexts import client_context, server_context
from trio_argoagent.pki import keys
from trio_argoagent.pki.rotation import Agent, Phase, Rotation, after, judge

from .certificates import KEY, authority, client, server, shake

ROOTS: Final = {"old": authority(), "new": authority()}
TRUST: Final = {
    "old": ROOTS["old"].certificate_pem,
    "new": ROOTS["new"].certificate_pem,
    "both": ROOTS["old"].certificate_pem + ROOTS["new"].certificate_pem,
    "both, the new one first": ROOTS["new"].certificate_pem + ROOTS["old"].certificate_pem,
}
SERVERS: Final = {name: server(root) for name, root in ROOTS.items()}
CLIENTS: Final = {name: client(root) for name, root in ROOTS.items()}


def takes(trust: str, leaf: str) -> bool:
    """Should whoever trusts that take this leaf?"""
    return trust.startswith("both") or trust == leaf


@pytest.mark.parametrize("strict", [False, True], ids=["as it is", "strict"])
def test_all_combinations(strict: bool) -> None:
    """A link comes about if and only if each trusts what the other shows; both roots have one name."""
    assert ROOTS["old"].certificate.subject == ROOTS["new"].certificate.subject
    for hub_trusts, agent_trusts, hub_shows, agent_shows in itertools.product(TRUST, TRUST, ROOTS, ROOTS):
        accepting = server_context(
            certificate=SERVERS[hub_shows],
            key=keys.key_pem(KEY),
            client_ca=TRUST[hub_trusts],
            require_client=True,
            alpn=("h2",),
            minimum=ssl.TLSVersion.TLSv1_3,
        )
        dialling = client_context(
            ca=TRUST[agent_trusts],
            certificate=CLIENTS[agent_shows],
            key=keys.key_pem(KEY),
            alpn=("h2",),
            minimum=ssl.TLSVersion.TLSv1_3,
        )
        if strict:
            accepting.verify_flags |= ssl.VERIFY_X509_STRICT
            dialling.verify_flags |= ssl.VERIFY_X509_STRICT
        where = (hub_trusts, agent_trusts, hub_shows, agent_shows)
        if takes(hub_trusts, agent_shows) and takes(agent_trusts, hub_shows):
            assert shake(accepting, dialling) == "edge", where
        else:
            with pytest.raises(ssl.SSLError):
                shake(accepting, dialling)
                pytest.fail(f"they came together: {where}")


HUBS: Final = {
    Phase.TRUST: (("both", "old"),),
    Phase.ISSUE: (("both", "old"), ("both", "new")),
    Phase.RENEW: (("both", "new"),),
    Phase.DROP: (("new", "new"),),
}
"""What the hub trusts and shows in each phase."""
NAMES: Final = {"old": ("old",), "new": ("new",), "both": ("old", "new")}


def passes(phase: Phase, trusts: str, shows: str) -> bool:
    """Does the policy let such an agent through this phase?"""
    state = Rotation(phase=phase, old="old", new="new", since=0.0)
    return judge(state, [Agent("edge", True, 0.0, NAMES[trusts], shows)], 0.0).may_advance


def linked(phase: Phase, trusts: str, shows: str) -> bool:
    """Has such an agent a link all through this phase?"""
    return all(takes(hub_trusts, shows) and takes(trusts, hub_shows) for hub_trusts, hub_shows in HUBS[phase])


@pytest.mark.parametrize("phase", [Phase.TRUST, Phase.ISSUE, Phase.RENEW])
def test_who_is_let_through_a_phase_keeps_its_link_in_the_next(phase: Phase) -> None:
    """What the policy asks of those that are connected is enough for what the hub does then."""
    following = after(phase)
    assert following is not None
    every = list(itertools.product(NAMES, ROOTS))
    through = [each for each in every if linked(phase, *each) and passes(phase, *each)]
    assert through
    assert all(linked(following, *each) for each in through)
    # And no more than that is enough: some that the policy keeps back would lose it.
    kept_back = [each for each in every if linked(phase, *each) and not passes(phase, *each)]
    assert phase is Phase.ISSUE or any(not linked(following, *each) for each in kept_back)
