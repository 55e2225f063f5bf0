"""A hub in process that issues certificates, and agents that ask for them by hand."""

from __future__ import annotations

import base64
import itertools
from functools import cache
from typing import Any

import attrs
import trio
from cryptography.hazmat.primitives.serialization import Encoding

from trio_argoagent.apiserver.crds import argocd_server
from trio_argoagent.apiserver.local import Gate, LocalCluster
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import NAMESPACES, SECRETS
from trio_argoagent.model.rulings import Ruling
from trio_argoagent.net.certificates import standing
from trio_argoagent.pki import keys, rejoin, requests, tokens
from trio_argoagent.pki.authority import Authority
from trio_argoagent.pki.names import agent_name
from trio_argoagent.pki.tokens import Token
from trio_argoagent.ports.env import Env
from trio_argoagent.principal import clusters
from trio_argoagent.principal import tokens as kept
from trio_argoagent.principal.clusters import Pin
from trio_argoagent.principal.enrolment import Desk
from trio_argoagent.principal.issuing import SECRET
from trio_argoagent.runtime.enrolment import Rules
from trio_argoagent.stream import admission
from trio_argoagent.stream.admission import Admission, Shown, by_certificate
from trio_argoagent.stream.protocol.enrolment import Answer, Denied, Enrol, Issued, Proof
from trio_argoagent.stream.protocol.enrolment import Shown as ShownToken

from .hub import make_env

HUB = "argocd"
DAY = 86_400.0


@cache
def key(name: str) -> keys.PrivateKey:
    """A key; another name: another one. Which it is makes no difference to anything."""
    return keys.new_key()


@cache
def authority(name: str = "ours") -> Authority:
    """A root of its own for each name; valid from before virtual time begins."""
    return Authority.create(key(f"ca {name}"), name=name, serial=1, now=0.0, lifetime=36_500 * DAY)


def der(pem: bytes) -> bytes:
    """The leaf."""
    return keys.load_certificates(pem)[0].public_bytes(Encoding.DER)


@attrs.define
class Hub:
    """See the module."""

    cluster: LocalCluster
    desk: Desk
    env: Env
    rulings: list[Ruling]

    async def add(self, name: str = "east", pin: Pin | None = None) -> None:
        """Make an agent known."""
        await self.cluster.create(SECRETS, clusters.make_secret(name, HUB, pin=pin))

    async def token(self, name: str = "east", ttl: float = 3600.0, *, replaces: bool = False) -> Token:
        """A token as an operator makes it."""
        made = tokens.make(self.env.entropy(40), "ab" * 32)
        value = tokens.keep(made, name, self.env.now() + ttl, replaces=replaces)
        await self.cluster.create(SECRETS, kept.make_secret(value, HUB))
        return made

    async def secret(self, name: str = "cluster-east") -> Object:
        """A Secret of the hub."""
        return await self.cluster.get(SECRETS, HUB, name)

    async def by_token(self, token: Token, using: str = "first", **more: Any) -> Answer:
        """Ask with a token."""
        shown = ShownToken(token.id, token.secret)
        return await self.ask(using, token=shown, **more)

    async def by_last_key(self, last: bytes, signer: str, using: str, **more: Any) -> Answer:
        """Ask by the proof of a last key."""
        request = requests.make(key(using), "x")
        proof = Proof(last, rejoin.sign(key(signer), request))
        return await self.desk.answer(Enrol(request, proof=proof), Shown(None, (), "192.0.2.1:1"), **more)

    async def ask(
        self,
        using: str = "first",
        *,
        name: str = "",
        certificate: bytes | None = None,
        token: ShownToken | None = None,
        request: bytes | None = None,
        address: str = "192.0.2.1:1",
    ) -> Answer:
        """Ask, with what there is."""
        request = requests.make(key(using), "somebody") if request is None else request
        last = () if certificate is None else (certificate,)
        shown = Shown(certificate, (), address, lambda: standing(last))
        return await self.desk.answer(Enrol(request, name, token), shown)

    def issue(self, name: str = "east", using: str = "first", *, lifetime: float = 7 * DAY) -> bytes:
        """A certificate (DER) that was made by hand, now."""
        public = key(using).public_key()
        return der(
            authority().issue_client(public, agent=name, serial=5, now=self.env.now(), lifetime=lifetime)
        )


def reason(answer: Answer) -> str:
    """Why not; empty: there is a certificate."""
    return answer.reason.value if isinstance(answer, Denied) else ""


def leaf(answer: Answer) -> bytes:
    """The certificate (DER)."""
    assert isinstance(answer, Issued), answer
    return der(answer.chain)


async def make_hub(
    rules: Rules | None = None,
    *,
    gate: admission.Gate = lambda peer: None,
    access: Gate | None = None,
    identify: admission.Identify | None = None,
    tick: float = 0.0,
) -> Hub:
    """A hub with an authority, without agents.

    Args:
        rules: of issuing.
        gate: who may come in.
        access: to the API server.
        identify: who a certificate names.
        tick: seconds by which the desk's clock is on at each look at it.
    """
    env, rulings, looks = make_env(), list[Ruling](), itertools.count()
    cluster = LocalCluster(argocd_server(entropy=env.entropy), env=env, actor="user")
    await cluster.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": HUB}})
    await put_authority(cluster, authority())
    inside = LocalCluster(cluster.server, env=env, actor="principal", gate=access)
    let = Admission(identify or by_certificate(agent_name), gate)
    ticking = attrs.evolve(env, now=lambda: env.now() + next(looks) * tick)
    desk = Desk(inside, HUB, ticking, rules or Rules(), let, audit=rulings.append)
    return Hub(cluster, desk, env, rulings)


async def put_authority(cluster: LocalCluster, root: Authority, **more: bytes) -> None:
    """The hub's Secret with its authority."""
    files = {"tls.crt": root.certificate_pem, "tls.key": root.key_pem} | more
    data = {name: base64.b64encode(content).decode() for name, content in files.items() if content}
    head = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": SECRET, "namespace": HUB}}
    await cluster.create(SECRETS, head | {"data": data})


async def all_at_once(*asking: Any) -> list[Answer]:
    """What each of them gets."""
    answers: list[Answer] = []

    async def one(each: Any) -> None:
        answers.append(await each)

    async with trio.open_nursery() as nursery:
        for each in asking:
            nursery.start_soon(one, each)
    return answers
