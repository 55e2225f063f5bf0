"""Identities, made once."""

from __future__ import annotations

import pytest

from .identities import Authority, Identity


@pytest.fixture(scope="session")
def authority() -> Authority:
    """The CA that everybody trusts."""
    return Authority.make()


@pytest.fixture(scope="session")
def server_identity(authority: Authority) -> Identity:
    """The server's certificate."""
    return authority.issue("server")


@pytest.fixture(scope="session")
def client_identity(authority: Authority) -> Identity:
    """The client's certificate."""
    return authority.issue("agent-1")
