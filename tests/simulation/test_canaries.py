"""A fleet with secrets of every kind, under trouble, at its most talkative: none is in anything it writes.

What is looked through, channel by channel: the log at debug, events, the audit log, every object of every
cluster that is no Secret (conditions, Events, ConfigMaps), and of Secrets all but their data, in each state
that they ever had; what is in Redis; the ``repr`` of every value of the product in the end, which is what
gets into a traceback or a log; the traces, timelines, snapshots and recordings that the simulator shows; what
the conformance peer says of the principal; a support bundle. API servers quote what they were sent.

And once all that keeps secrets out of them is switched off: then each channel must show some.
"""

from __future__ import annotations

import base64
import gc
import gzip
import io
import json
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest
import trio

from trio_argoagent.cli import bundle, ctl_bundle
from trio_argoagent.cli.validation.checks import Side
from trio_argoagent.errors import ApiError, Forbidden, Invalid, Unavailable
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import SECRETS, Resource
from trio_argoagent.pki import keys
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.redis.server import RedisServer
from trio_argoagent.replication.executor import Executor
from trio_argoagent.runtime import logs
from trio_argoagent.testing import campaign, oracle, snapshot, steps, timeline
from trio_argoagent.testing import fleet as fleets
from trio_argoagent.testing.argocd.applications import app_project, application
from trio_argoagent.testing.argocd.repositories import encoded, repo_creds, repository
from trio_argoagent.testing.conformance import Claim, Verdict, check_principal
from trio_argoagent.testing.faults import NONE, Faults, FaultyCluster
from trio_argoagent.testing.fleet import NAMESPACE, PRINCIPAL, Fleet, SpokePlan, open_fleet
from trio_argoagent.testing.redisfake import FakeRedis
from trio_argoagent.testing.scheduling import simulate
from trio_argoagent.testing.snapshot import Snapshot, take_snapshot
from trio_argoagent.testing.steps import Recorder
from trio_argoagent.testing.trial import Moment

KEY: Final = keys.key_pem(keys.new_key()).decode()
"""A private key; the middle of it is looked for."""
WORDS: Final = {
    "password": "canary-password-of-a-repository",
    "username": "canary-user-who-is-a-token",
    "bearerToken": "canary-bearer-token-of-a-repository",
    "pin": "canary-pin",
    "proxy": "http://user:canary-of-a-proxy@proxy:3128",
}
REDIS: Final = "canary-password-of-the-redis-in-use"
JWT: Final = "eyJhbGciOiJSUzUxMiJ9.eyJzdWIiOiJjYW5hcnkifQ.canary-signature-of-a-jwt"
OTHERS: Final = {
    "argocd-agent-ca": {"tls.key": KEY},
    "argocd-agent-jwt": {"jwt.key": KEY},
    "argocd-agent-client-tls": {"tls.key": KEY},
    "argocd-redis": {"auth": "canary-password-of-redis"},
    "argocd-agent-token-abc": {"hash": "canary-hash-of-a-token"},
}
SECRET: Final = [*WORDS.values(), JWT, REDIS, *(text for data in OTHERS.values() for text in data.values())]
TROUBLE: Final = Faults(refused=0.2, lost=0.1, failed_after=0.1, conflicts=0.1, reads=0.1, breaks=0.05)
PROGRAMS: Final = (PRINCIPAL, "east", "west")
QUOTING: Final[dict[str, type[ApiError]]] = {"invalid": Invalid, "denied": Forbidden, "later": Unavailable}
"""Secrets by name, and how the API server refuses each: by quoting it."""


class QuotingCluster(FaultyCluster):
    """An API server, or a webhook in it, whose every refusal of certain Secrets repeats them."""

    async def create(self, resource: Resource, value: Mapping[str, Any]) -> Object:
        """See ``Cluster``."""
        refusal = QUOTING.get(value["metadata"]["name"]) if resource == SECRETS else None
        if refusal is not None:
            raise refusal(f"invalid: {json.dumps(value)}")
        return await super().create(resource, value)


class LockedRedis(FakeRedis):
    """One with a password."""

    def __init__(self) -> None:
        super().__init__(REDIS)

    def server(self, **options: Any) -> RedisServer:
        """See ``FakeRedis``."""
        return super().server(password=REDIS, **options)

    def stored(self) -> Iterator[bytes]:
        """What is in it."""
        for value, _ in self._stored.values():
            yield gzip.decompress(value) if value.startswith(b"\x1f\x8b") else value


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
    quoted = [secret_values()[0] for _ in QUOTING]
    for name, each in zip(QUOTING, quoted, strict=True):
        each["metadata"]["name"] = name
    await fleet.apply([*secret_values(), refused, *quoted, application("web", namespace="east")])
    await fleet.spoke_as("west", "user").create(SECRETS, secret_values()[0])
    for name in PROGRAMS:
        await trio.sleep(10)
        fleet.restart(name)
    changed = MergePatch({"data": {"pin": encoded("changed")}})
    await fleet.hub_as("user").patch(SECRETS, NAMESPACE, "c", changed)
    fleet.throttle_api("hub", 0.5)
    fleet.redis["hub"].off()
    await trio.sleep(20)
    fleet.redis["hub"].on()
    fleet.throttle_api("hub")
    fleet.set_faults(NONE)
    await trio.sleep(120)


def shown(fleet: Fleet) -> Iterator[tuple[str, str, str]]:
    """All that it has written: the channel, where in it, and the text."""
    for at, program, event in fleet.events:
        yield "events", f"{event.name} of {program} at {at}", event.text
    for at, ruling in fleet.rulings:
        yield "audit", f"at {at}", repr(ruling)
    for cluster, server in fleet.servers.items():
        for entry in server.log:
            for stored in (entry.old, entry.new):
                if stored is None:
                    continue
                value = dict(stored.value)
                if entry.resource == SECRETS:
                    value.pop("data", None)
                where = f"{entry.resource.kind} {entry.namespace}/{entry.name} on {cluster}"
                yield "objects", where, json.dumps(value)
    for name, redis in fleet.redis.items():
        assert isinstance(redis, LockedRedis)
        for content in redis.stored():
            yield "redis", name, content.decode("utf-8", "replace")


def told(fleet: Fleet) -> Iterator[tuple[str, str, str]]:
    """What the simulator shows of it: traces, timelines, and snapshots that differ."""
    trace = io.BytesIO()
    recorder = campaign._Recorder(trace)
    for name, server in fleet.servers.items():
        for entry in server.log:
            recorder(Moment(0.0, name, entry.actor, "write", entry.verb.value, entry))
    yield "trace", "", trace.getvalue().decode()
    yield from (("timeline", "", str(timeline.line(moment))) for moment in recorder.moments)
    empty, full = Snapshot({}), take_snapshot(fleet.servers)
    cleared = Snapshot({n: {f: v for f, v in o.items() if f != "data"} for n, o in full.objects.items()})
    changed = {n: {**o, "data": dict.fromkeys(o.get("data", ()), "")} for n, o in full.objects.items()}
    for other in (empty, cleared, Snapshot(changed)):
        yield from (("snapshot", "", text) for text in (*full.diff(other), *other.diff(full), str(full)))


def values() -> Iterator[tuple[str, str, str]]:
    """Every value of the product in this process, as ``repr`` shows it; of the simulated world it may be."""
    for each in gc.get_objects():
        module = str(type(each).__module__)
        world = ("trio_argoagent.testing", "trio_argoagent.apiserver")
        if isinstance(each, ApiError):
            continue  # It is what an API server has said, and dies with whoever was told.
        if module.startswith("trio_argoagent.") and not module.startswith(world):
            yield "values", f"{module}.{type(each).__name__}", repr(each)


async def bundled(fleet: Fleet) -> list[tuple[str, str, str]]:
    """A support bundle of the hub and of a spoke."""
    clusters = {Side.HUB: fleet.hub_as("user"), Side.SPOKE: fleet.spoke_as("east", "user")}
    files = await ctl_bundle.collect(clusters, dict.fromkeys(clusters, NAMESPACE), fleet.env)
    return [("bundle", path, text) for path, text in files.items()]


async def judged(fleet: Fleet) -> list[tuple[str, str, str]]:
    """What the conformance peer says of a principal that is not what was claimed of it."""
    fleet.crash("east")
    await trio.sleep(1)
    verdicts: list[Verdict] = []
    claim = Claim(mode=Mode.MANAGED, cluster_uid="spoke", mapping="destination")
    await check_principal(fleet.network.dialer("east"), verdicts.append, claim)
    assert any(each.fault for each in verdicts)
    return [("conformance", each.case.name, f"{each.fault} {each!r}") for each in verdicts]


async def look(fleet: Fleet) -> list[tuple[str, str, str]]:
    """Live a while, and read everything."""
    recorder = Recorder()
    recorder.attach(fleet)
    await live(fleet)
    copy = oracle.objects(fleet.spokes["east"].server, SECRETS, NAMESPACE)["r"]
    assert copy.get("data")["password"] == encoded(WORDS["password"])
    texts = [*await bundled(fleet), *values(), *await judged(fleet), *shown(fleet), *told(fleet)]
    return [*texts, *(("steps", str(step), step.detail) for step in recorder.steps)]


def all_texts(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> list[tuple[str, str, str]]:
    """What a fleet leaves behind."""
    texts: list[tuple[str, str, str]] = []

    async def story() -> None:
        plans = [SpokePlan("east"), SpokePlan("west", Mode.AUTONOMOUS)]
        async with open_fleet(plans, seed=5, redis=True) as fleet:
            log = logs.log_events("fleet")
            fleet.observers.append(lambda program, event: log(event))
            texts.extend(await look(fleet))

    monkeypatch.setattr(fleets, "FaultyCluster", QuotingCluster)
    monkeypatch.setattr(fleets, "FakeRedis", LockedRedis)
    logs.configure("debug", "json")
    with caplog.at_level(logging.DEBUG):
        simulate(story, seed=5)
    out, err = capfd.readouterr()
    return [*texts, ("log", "", caplog.text), ("log", "standard output", out), ("log", "standard error", err)]


CHANNELS: Final = {
    "events", "audit", "objects", "redis", "log", "values",
    "trace", "timeline", "snapshot", "steps", "bundle", "conformance",
}  # fmt: skip


def test_no_secret_is_seen(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nowhere; and much is seen."""
    texts = all_texts(monkeypatch, caplog, capfd)
    assert [leak for channel, where, text in texts for leak in found(f"{channel} {where}", text)] == []
    counted = Counter(channel for channel, _, _ in texts)
    assert set(counted) == CHANNELS
    assert counted["values"] > 1000 and counted["objects"] > 100
    assert all(any(name in text for _, _, text in texts) for name in QUOTING)
    assert any("link-up" in text for channel, _, text in texts if channel == "log")


def test_every_channel_is_looked_through(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """With all discretion switched off each of them shows a secret, but those which never hear of any."""
    monkeypatch.setattr(Executor, "_words", lambda self, cause: str(cause))
    for module in (campaign, timeline, snapshot, steps):
        monkeypatch.setattr(module, "masked", lambda value: value)
    monkeypatch.setattr(bundle, "of_secret", lambda secret, now: {"all": str(secret.get("data"))})
    monkeypatch.setattr(Object, "__repr__", lambda self: str(self.fields))
    texts = all_texts(monkeypatch, caplog, capfd)
    leaking = {channel for channel, where, text in texts if found(where, text)}
    assert CHANNELS - leaking == {"audit", "conformance", "redis"}
