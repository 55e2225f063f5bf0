"""Where the real clusters are; without any, these tests are skipped, and say how to get some."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
import trio

from trio_argoagent.errors import AlreadyExists, NotFound
from trio_argoagent.kube.client import HttpCluster, open_cluster
from trio_argoagent.kube.credentials import from_kubeconfig
from trio_argoagent.model import yamltext
from trio_argoagent.model.resources import APPLICATIONS, Resource

from .. import definitions

VARIABLE = "TRIO_ARGOAGENT_TEST_KUBECONFIG"
DEFINITIONS = Resource(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", False
)

Connect = Callable[[str], AbstractAsyncContextManager[HttpCluster]]


def is_given() -> bool:
    """Are there any clusters?"""
    return bool(os.environ.get(VARIABLE))


SERVED = 120.0
"""Seconds until what has just been defined is served."""
SPOKES = ("spoke", "spoke-2")
"""The contexts that may name a spoke; the first is always there."""


def spokes_given() -> list[str]:
    """Those of ``SPOKES`` that the kubeconfig has."""
    found = yamltext.load_one(Path(os.environ[VARIABLE]).read_bytes())
    contexts = [each["name"] for each in found["contexts"]]
    return [name for name in SPOKES if name in contexts]


# One test says that they are missing (``test_without``), instead of each of a hundred.
collect_ignore_glob = [] if is_given() else ["test_[!w]*.py"]


@pytest.fixture
def kubeconfig() -> str:
    """The path of a kubeconfig."""
    return os.environ[VARIABLE]


@pytest.fixture
def connect(kubeconfig: str) -> Connect:
    """Opens a client of the cluster that a context names, with Argo CD's definitions in it."""

    @asynccontextmanager
    async def open_context(context: str) -> AsyncIterator[HttpCluster]:
        credentials = await from_kubeconfig(kubeconfig, context)
        async with open_cluster(credentials) as cluster:
            await install(cluster)
            yield cluster

    return open_context


async def install(cluster: HttpCluster) -> None:
    """Define Argo CD's kinds where they are not defined, and wait until they are served."""
    for definition in definitions.best():
        try:
            await cluster.create(DEFINITIONS, definition)
        except AlreadyExists:
            continue
    with trio.fail_after(SERVED):
        while True:
            try:
                await cluster.list(APPLICATIONS, "default")
                return
            except NotFound:
                await trio.sleep(0.25)
