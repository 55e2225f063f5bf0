"""A fleet with secrets of every kind, under trouble, at its most talkative: none is in anything it writes.

What is looked through: the log at debug, events, the audit log, every object of every cluster that is no
Secret (conditions, Events, ConfigMaps), and of Secrets all but their data, in each state that they ever had;
and the ``repr`` of every value of the product in the end, which is what gets into a traceback or a log.
"""

from __future__ import annotations

import base64
import gc
import json
import logging
from collections.abc import Iterator
from typing import Any, Final

import pytest
import trio

from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import SECRETS
from trio_argoagent.pki import keys
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.runtime import logs
from trio_argoagent.testing import oracle
from trio_argoagent.testing.argocd.applications import app_project, application
from trio_argoagent.testing.argocd.repositories import encoded, repo_creds, repository
from trio_argoagent.testing.faults import NONE, Faults
from trio_argoagent.testing.fleet import NAMESPACE, PRINCIPAL, Fleet, SpokePlan, open_fleet
from trio_argoagent.testing.scheduling import simulate

KEY: Final = keys.key_pem(keys.new_key()).decode()
"""A private key; the middle of it is looked for."""
WORDS: Final = {
    "password": "canary-password-of-a-repository",
    "username": "canary-user-who-is-a-token",
    "bearerToken": "canary-bearer-token-of-a-repository",
    "proxy": "http://user:canary-of-a-proxy@proxy:3128",
}
JWT: Final = "eyJhbGciOiJSUzUxMiJ9.eyJzdWIiOiJjYW5hcnkifQ.canary-signature-of-a-jwt"
OTHERS: Final = {
    "argocd-agent-ca": {"tls.key": KEY},
    "argocd-agent-jwt": {"jwt.key": KEY},
    "argocd-agent-client-tls": {"tls.key": KEY},
    "argocd-redis": {"auth": "canary-password-of-redis"},
    "argocd-agent-token-abc": {"hash": "canary-hash-of-a-token"},
}
SECRET: Final = [*WORDS.values(), JWT, *(text for data in OTHERS.values() for text in data.values())]
TROUBLE: Final = Faults(refused=0.2, lost=0.1, failed_after=0.1, conflicts=0.1, reads=0.1, breaks=0.05)
PROGRAMS: Final = (PRINCIPAL, "east", "west")


def traces(secret: str) -> Iterator[str]:
    """How it would be seen: as it is, in JSON, in base64, from any place in it."""
    heart = secret.splitlines()[len(secret.splitlines()) // 2] if "\n" in secret else secret
    yield heart
    for lead in range(3):
        yield base64.b64encode((" " * lead + heart).encode()).decode()[4:-4]


TRACES: Final = tuple(dict.fromkeys(trace for each in SECRET for trace in traces(each)))


def found(where: str, text: str) -> list[str]:
    """What of a secret is in a text, with some of what stands before it."""
    return [f"{where}: {text[max(0, (at := text.index(t)) - 60) : at + 20]!r}" for t in TRACES if t in text]


def secret_values() -> list[dict[str, Any]]:
    """The hub's secrets."""
    more = {name: encoded(text) for name, text in WORDS.items()}
    keyed = {name: encoded(KEY) for name in ("sshPrivateKey", "tlsClientCertKey", "githubAppPrivateKey")}
    kinds = (("r", repository), ("c", repo_creds))
    ours = [make(name, namespace=NAMESPACE, project="team") for name, make in kinds]
    for each in ours:
        each["data"] |= more | keyed
    metadata = {"namespace": NAMESPACE}
    return ours + [
        {"apiVersion": "v1", "kind": "Secret", "metadata": metadata | {"name": name}}
        | {"data": {key: encoded(text) for key, text in data.items()}}
        for name, data in OTHERS.items()
    ]


async def live(fleet: Fleet) -> None:
    """Everything happens that may: changes, refusals, errors, crashes."""
    anywhere: list[Any] = [{"name": "*", "namespace": "*", "server": "*"}]
    await fleet.apply(app_project("team", namespace=NAMESPACE, destinations=anywhere, sourceNamespaces=["*"]))
    # One that the spoke's API server refuses to change, in words of its own.
    other = secret_values()[0] | {"type": "kubernetes.io/basic-auth"}
    other["metadata"] |= {"name": "refused", "annotations": {"argocd.argoproj.io/source-uid": "x"}}
    await fleet.cluster("east").create(SECRETS, other)
    refused = secret_values()[0]
    refused["metadata"]["name"] = "refused"
    config = json.dumps({"bearerToken": JWT, "tlsClientConfig": {"keyData": encoded(KEY)}})
    for name in ("cluster-east", "cluster-west"):
        patch = MergePatch({"data": {"config": encoded(config)}})
        await fleet.hub_as("user").patch(SECRETS, NAMESPACE, name, patch)
    fleet.set_faults(TROUBLE)
    await fleet.apply([*secret_values(), refused, application("web", namespace="east")])
    await fleet.spoke_as("west", "user").create(SECRETS, secret_values()[0])
    for name in PROGRAMS:
        await trio.sleep(10)
        fleet.restart(name)
    fleet.throttle_api("hub", 0.5)
    await trio.sleep(20)
    fleet.throttle_api("hub")
    fleet.set_faults(NONE)
    await trio.sleep(120)


def shown(fleet: Fleet) -> Iterator[tuple[str, str]]:
    """All that it has written, and where."""
    for at, program, event in fleet.events:
        yield f"event {event.name} of {program} at {at}", event.text
    for at, ruling in fleet.rulings:
        yield f"ruling at {at}", repr(ruling)
    for cluster, server in fleet.servers.items():
        for entry in server.log:
            for stored in (entry.old, entry.new):
                if stored is None:
                    continue
                value = dict(stored.value)
                if entry.resource == SECRETS:
                    value.pop("data", None)
                yield f"{entry.resource.kind} {entry.namespace}/{entry.name} on {cluster}", json.dumps(value)


def values() -> Iterator[tuple[str, str]]:
    """Every value of the product in this process, as ``repr`` shows it; of the simulated world it may be."""
    for each in gc.get_objects():
        module = str(type(each).__module__)
        world = ("trio_argoagent.testing", "trio_argoagent.apiserver")
        if module.startswith("trio_argoagent.") and not module.startswith(world):
            yield f"repr of {module}.{type(each).__name__}", repr(each)


def test_no_secret_is_seen(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    """Nowhere."""
    leaks: list[str] = []
    counted = {"written": 0, "values": 0}

    async def story() -> None:
        plans = [SpokePlan("east"), SpokePlan("west", Mode.AUTONOMOUS)]
        async with open_fleet(plans, seed=5) as fleet:
            told = logs.log_events("fleet")
            fleet.observers.append(lambda program, event: told(event))
            await live(fleet)
            copy = oracle.objects(fleet.spokes["east"].server, SECRETS, NAMESPACE)["r"]
            assert copy.get("data")["password"] == encoded(WORDS["password"])
            assert "refused" in "".join(text for _, text in shown(fleet))
            for name, texts in (("written", shown(fleet)), ("values", values())):
                for where, text in texts:
                    counted[name] += 1
                    leaks.extend(found(where, text))

    logs.configure("debug", "json")
    with caplog.at_level(logging.DEBUG):
        simulate(story, seed=5)
    out, err = capfd.readouterr()
    for where, text in (("the log", caplog.text), ("standard output", out), ("standard error", err)):
        leaks.extend(found(where, text))
    assert leaks == []
    assert "link-up" in err
    assert counted["written"] > 100 and counted["values"] > 1000
