"""Who may connect without TLS."""

import pytest

from trio_argoagent.errors import UserError
from trio_argoagent.net.plaintext import Neighbours


@pytest.mark.parametrize(
    ("networks", "peer", "here", "may"),
    [
        ((), "127.0.0.1", "127.0.0.1", True),
        ((), "127.0.0.6", "10.1.1.7", True),
        ((), "::1", "::1", True),
        ((), "::ffff:127.0.0.1", "::ffff:10.1.1.7", True),
        ((), "10.1.1.7", "10.1.1.7", True),
        ((), "::ffff:10.1.1.7", "10.1.1.7", True),
        ((), "fe80::1%eth0", "fe80::1", True),
        ((), "10.1.1.8", "10.1.1.7", False),
        ((), "192.0.2.1", "127.0.0.1", False),
        (("10.1.0.0/16",), "10.1.1.8", "10.1.1.7", True),
        (("10.1.0.0/16",), "10.2.1.8", "10.1.1.7", False),
        (("10.1.0.0/16",), "::ffff:10.1.1.8", "::ffff:10.1.1.7", True),
        (("10.1.1.8",), "10.1.1.8", "10.1.1.7", True),
        (("fd00::/8", "10.0.0.0/8"), "fd00::2", "fd00::1", True),
        (("0.0.0.0/0",), "2001:db8::1", "2001:db8::2", False),
        (("0.0.0.0/0",), "", "", False),
        (("0.0.0.0/0",), "/run/socket", "/run/socket", False),
    ],
)
def test_who_may(networks: tuple[str, ...], peer: str, here: str, may: bool) -> None:
    """This machine, and the networks named."""
    assert Neighbours.parse(networks).may(peer, here) is may


@pytest.mark.parametrize("text", ["", "10.1.1.1/16", "mesh", "10.1.0.0/33"])
def test_what_is_no_network(text: str) -> None:
    """It is told in a line."""
    with pytest.raises(UserError, match="is no network"):
        Neighbours.parse([text])
