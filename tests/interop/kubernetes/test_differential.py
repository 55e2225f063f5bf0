"""The embedded server answers as a real one does, request by request."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
import trio

from trio_argoagent.kube.credentials import from_kubeconfig
from trio_argoagent.kube.protocol.requests import HttpRequest
from trio_argoagent.kube.session import Session, open_session
from trio_argoagent.runtime.world import real_env

from ...unit.apiserver.http.world import served
from .conftest import Connect
from .differences import KNOWN
from .rights import RIGHTS
from .script import CASES, Ask, answer

NAMESPACES = "/api/v1/namespaces"
GROUP = "/apis/rbac.authorization.k8s.io/v1"
REVIEWS = "/apis/authorization.k8s.io/v1"
HEAD = (("content-type", "application/json"), ("accept", "application/json"))
PATIENCE = 30.0
"""Seconds."""
ALL = {**CASES, **RIGHTS}


async def rights_are_known(session: Session, word: str) -> None:
    """Wait until what was said about rights counts: a real authoriser hears of it by watching.

    It hears of all roles in the order in which they were written, and so of all bindings. Once it knows a
    role and a binding that were written now, it knows the earlier ones.

    Args:
        session: to the server, as somebody who may do everything.
        word: new each time.
    """
    rules = f"{GROUP}/namespaces/default"
    role = {"metadata": {"name": word}, "rules": [{"verbs": ["get"], "apiGroups": [""], "resources": [word]}]}
    whom = {"kind": "User", "name": word}
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": word}
    binding = {"metadata": {"name": word}, "roleRef": ref, "subjects": [whom]}
    about = {"verb": "get", "resource": word, "namespace": "default"}
    review = json.dumps({"spec": {"user": word, "resourceAttributes": about}}).encode()
    for kind, value in (("roles", role), ("rolebindings", binding)):
        made = await session.request(HttpRequest("POST", f"{rules}/{kind}", HEAD, json.dumps(value).encode()))
        assert made.status == 201, made.body
    with trio.fail_after(PATIENCE):
        while True:
            told = await session.request(HttpRequest("POST", f"{REVIEWS}/subjectaccessreviews", HEAD, review))
            if json.loads(told.body)["status"]["allowed"]:
                break
            await trio.sleep(0.05)
    for kind in ("roles", "rolebindings"):
        await session.request(HttpRequest("DELETE", f"{rules}/{kind}/{word}", HEAD))


async def hold(
    session: Session, asks: Sequence[Ask], namespace: str, *, lags: bool = False
) -> list[tuple[int, Any]]:
    """One conversation; what was answered.

    Args:
        session: to the server.
        asks: what is asked, in this order.
        namespace: that it takes place in.
        lags: does the server's authoriser hear of rights later than the answer to their writing says?
    """
    body = json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    made = await session.request(HttpRequest("POST", NAMESPACES, HEAD, body.encode()))
    assert made.status == 201
    answers = []
    known = True
    for number, ask in enumerate(asks):
        if lags and not known and (ask.user or REVIEWS in ask.path):
            await rights_are_known(session, f"{namespace}-{number}")
            known = True
        data = (
            b""
            if ask.body is None
            else ask.body
            if isinstance(ask.body, bytes)
            else json.dumps(ask.body).encode()
        )
        request = HttpRequest(
            ask.method,
            ask.path.replace("NS", namespace),
            (
                ("content-type", ask.type),
                ("accept", ask.accept),
                *((("impersonate-user", ask.user),) if ask.user else ()),
            ),
            data.replace(b"NS", namespace.encode()),
        )
        response = await session.request(request)
        answers.append(answer(response.status, response.body, namespace))
        known = known and not (GROUP in ask.path and ask.method != "GET")
    await session.request(HttpRequest("DELETE", f"{NAMESPACES}/{namespace}", HEAD))
    return answers


@pytest.mark.parametrize("name", ALL)
async def test_the_same_answers(connect: Connect, kubeconfig: str, name: str) -> None:
    """Status and body of every answer, but for the differences that are known and documented."""
    namespace = f"same-{real_env().entropy(4).hex()}"
    async with connect("hub"):
        pass  # Argo CD's definitions are there.
    async with open_session(await from_kubeconfig(kubeconfig, "hub")) as session:
        real = await hold(session, ALL[name], namespace, lags=True)
    async with served(rules=True) as world, open_session(world.credentials()) as session:
        ours = await hold(session, ALL[name], namespace)
    differing = {n: pair for n, pair in enumerate(zip(real, ours, strict=True)) if pair[0] != pair[1]}
    known = {number for case, number in KNOWN if case == name}
    text = "\n".join(
        f"{ALL[name][number]}\n   real: {json.dumps(theirs)}\n   ours: {json.dumps(mine)}"
        for number, (theirs, mine) in differing.items()
        if number not in known
    )
    assert {*differing} == known, text or "a known difference is gone: take it out of the table"
