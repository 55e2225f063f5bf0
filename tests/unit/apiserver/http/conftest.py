"""A handler in front of a fresh server."""

from __future__ import annotations

import random

import pytest

from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.http import Access, ApiHandler
from trio_argoagent.ports.env import Env

from ..core.helpers import NOW, new_server


@pytest.fixture
def server() -> ApiServer:
    """With the namespace ``argocd``."""
    return new_server()


@pytest.fixture
def handler(server: ApiServer) -> ApiHandler:
    """Who knows the token ``t`` is alice."""
    chance = random.Random(2)
    env = Env(lambda: NOW, chance, chance.randbytes)
    return ApiHandler(server, env=env, authenticate=Access({"t": "alice"}))
