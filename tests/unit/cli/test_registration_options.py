"""The principal's options for self-registration: what contradicts itself is refused before anything runs."""

from __future__ import annotations

import pytest

from trio_argoagent.cli.registration_options import read_registration
from trio_argoagent.errors import UserError
from trio_argoagent.runtime.config import PROXY, SelfRegistration


def test_what_they_say_together() -> None:
    """Off unless it is asked for."""
    assert read_registration(enabled=False, secret="", address=PROXY) is None
    assert read_registration(enabled=True, secret="c", address="p:1") == SelfRegistration("p:1", "c")


@pytest.mark.parametrize(
    ("enabled", "secret", "address", "what"),
    [
        (False, "client", PROXY, "--enable-self-cluster-registration, too"),
        (True, "", "proxy", "--resource-proxy-address: 'proxy' has no port"),
        (True, "", "", "--resource-proxy-address: "),
    ],
)
def test_what_makes_no_sense(enabled: bool, secret: str, address: str, what: str) -> None:
    """One line that names the option."""
    with pytest.raises(UserError, match=what):
        read_registration(enabled=enabled, secret=secret, address=address)
