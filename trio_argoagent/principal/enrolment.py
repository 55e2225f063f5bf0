"""Who gets a certificate: ``POST /v1/enroll`` on the hub.

There are three ways in, and each is one answer to the question who asks: a one-time token, the certificate of
the connection, or the key of a certificate that has expired. What follows is the same for all: the name must
be that of an agent of this hub that nobody has revoked, the request must carry a good key, and the authority
signs.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import attrs
import trio

from trio_argoagent import errors
from trio_argoagent.model.identity import Peer, is_dns_label
from trio_argoagent.model.resources import SECRETS
from trio_argoagent.model.rulings import Auditor, Decision, about, unaudited
from trio_argoagent.net.tls import fingerprint
from trio_argoagent.pki.tokens import Verdict
from trio_argoagent.ports.cluster import Cluster, ObjectList
from trio_argoagent.ports.env import Env
from trio_argoagent.principal import claims, clusters, tokens
from trio_argoagent.principal.claims import Denying, Record
from trio_argoagent.principal.issuing import NotIssuing, read_authorities, read_roots, read_signer
from trio_argoagent.principal.rates import Rates, source
from trio_argoagent.principal.redeeming import Found, Redeemer
from trio_argoagent.replication.happenings import Happenings, Involved
from trio_argoagent.runtime.enrolment import DAY, Rules
from trio_argoagent.runtime.events import Event, Observer, ignore
from trio_argoagent.runtime.rarely import Rarely
from trio_argoagent.stream.admission import Admission, Shown
from trio_argoagent.stream.protocol.enrolment import PASSING, Answer, Denial, Enrol, Issued
from trio_argoagent.stream.protocol.enrolment import Shown as ShownToken
from trio_argoagent.sync.names import AGENT_NAME, SECRET_TYPE

if TYPE_CHECKING:
    from trio_argoagent.pki.keys import PublicKey

PATIENCE: Final = 10.0
"""Seconds for the hub's API server."""
SAME_TIME: Final = 1.0
"""Seconds until a token is refused, whatever is wrong with it: how long it took says nothing."""
AT_ONCE: Final = 8
"""Requests that are worked on at once: by certificates of connections, and as many of everybody else."""
IN_LINE: Final = 128
"""Requests that wait for that; more are told to come again."""
BUSY_RETRY: Final = 5.0
"""Seconds after which they may."""
SWEEP: Final = 600.0
"""Seconds between two looks for tokens that nobody needs any more."""
NOTE_ATTEMPTS: Final = 5
"""At the cluster secret of an agent, while others write it."""
ROOTS_AGE: Final = 30.0
"""Seconds for which the roots are not read again for somebody who has not said who he is."""
_UNTOLD: Final = (*PASSING, Denial.UNKNOWN_AGENT)
"""What goes by itself, is said elsewhere, or is of nobody who has a cluster secret."""
_ANSWERS: Final = (errors.ApiError, errors.OutcomeUnknown, errors.RemoteProtocolError)


@attrs.define
class _Case:
    """One request, and what is known of it so far."""

    asked: Enrol
    shown: Shown
    way: claims.Way
    peer: Peer
    certificate: bytes | None = None
    issued: str = ""


class Desk:
    """See the module.

    Args:
        cluster: the hub.
        namespace: Argo CD's.
        env: time and entropy.
        rules: of the operator.
        admission: who a certificate names, and whether he may come in now.
        observer: told what happens.
        audit: told of each decision.
    """

    def __init__(
        self,
        cluster: Cluster,
        namespace: str,
        env: Env,
        rules: Rules,
        admission: Admission,
        observer: Observer = ignore,
        audit: Auditor = unaudited,
    ) -> None:
        self._cluster, self._namespace, self._env = cluster, namespace, env
        self._rules, self._admission = rules, admission
        self._observer, self._audit = observer, audit
        self._line = Rarely(observer, "enrolment-impossible")
        self._sources, self._names = Rates(20, 3.0), Rates(6, 600.0)
        self._tokens = Redeemer(cluster, namespace, env)
        # Whoever has proven nothing yet must not take the turn of those who renew.
        self._renewing, self._joining = trio.CapacityLimiter(AT_ONCE), trio.CapacityLimiter(AT_ONCE)
        self._roots: tuple[float, bytes] = (float("-inf"), b"")
        self._reading = trio.Lock()
        self._happenings = Happenings(cluster, env, self._cluster_secret)
        self.denials: Counter[Denial] = Counter()
        """Why there were no certificates, and how often."""

    # For anybody

    async def roots(self) -> bytes:
        """What agents are to trust, PEM; empty: this principal issues nothing."""
        async with self._reading:
            read, pem = self._roots
            if self._rules.issues and trio.current_time() >= read + ROOTS_AGE:
                with trio.move_on_after(PATIENCE):
                    try:
                        pem = await read_roots(self._cluster, self._namespace)
                    except (NotIssuing, *_ANSWERS) as exc:
                        self._line.tell(str(exc))
                self._roots = (trio.current_time(), pem)
        return pem

    async def answer(self, asked: Enrol, shown: Shown) -> Answer:
        """A certificate, or why there is none; either is in the audit log.

        Args:
            asked: the request.
            shown: what its connection has proven.
        """
        began = trio.current_time()
        case = _Case(asked, shown, claims.way_of(asked), Peer("", "", shown.address))
        what = f"certificate by {case.way.word}"
        try:
            issued = await self._bounded(case, began)
        except Denying as exc:
            decision = Decision.REVOKED if exc.answer.reason is Denial.REVOKED else Decision.REFUSED
            self.denials[exc.answer.reason] += 1
            if not exc.audited:
                self._audit(about(case.peer, decision, what, exc.reason))
            await self._tell(case.peer.name, exc)
            if exc.answer.reason is Denial.TOKEN:
                await trio.sleep_until(began + SAME_TIME)
            return exc.answer
        if case.way is not claims.CONNECTION:
            # It has not cost anything: a site may start all its agents at once.
            self._sources.give_back(source(shown.address))
        self._audit(about(case.peer, case.way.decision, what, case.issued))
        self._observer(Event("certificate-issued", case.peer.name, f"by {case.way.word}: {case.issued}"))
        return issued

    async def _tell(self, agent: str, denying: Denying) -> None:
        """An Event on the cluster secret of an agent that has proven its name: strangers leave none."""
        if not is_dns_label(agent) or (denying.answer.reason in _UNTOLD and not denying.shown):
            return
        about = Involved("v1", "Secret", self._namespace, agent)
        text = denying.shown or denying.answer.detail
        with trio.move_on_after(PATIENCE):
            await self._happenings.say(about, f"agent {agent} gets no certificate: {text}")

    async def _cluster_secret(self, agent: Involved) -> Involved:
        found = (await self._secrets(agent.name)).items
        entry = clusters.choose(map(clusters.read_entry, found))
        return clusters.involved(entry, agent.name, self._namespace)

    async def _secrets(self, agent: str) -> ObjectList:
        selector = f"{SECRET_TYPE}=cluster,{AGENT_NAME}={agent}"
        return await self._cluster.list(SECRETS, self._namespace, selector=selector)

    async def _bounded(self, case: _Case, began: float) -> Issued:
        """The same within its bounds.

        Raises:
            Denying: there is no certificate.
        """
        if not self._rules.issues:
            raise _not_issuing("--no-enroll")
        self._charge(case, began)
        working = self._renewing if case.way is claims.CONNECTION else self._joining
        if working.statistics().tasks_waiting >= IN_LINE:
            raise Denying(Denial.BUSY, "too many ask for certificates now", retry_after=BUSY_RETRY)
        async with working:
            try:
                with trio.fail_after(PATIENCE):
                    return await self._decide(case)
            except (*_ANSWERS, trio.TooSlowError) as exc:
                self._line.tell(f"the hub's API server: {str(exc) or 'no answer'}")
                raise Denying(Denial.BUSY, "the hub does not answer", retry_after=BUSY_RETRY) from exc
            except NotIssuing as exc:
                self._line.tell(f"no certificates are issued: {exc}")
                raise _not_issuing(str(exc)) from exc

    def _charge(self, case: _Case, now: float) -> None:
        """Count it against the certificate that is shown, or else against where it comes from.

        Not against the name: whoever has lost it must not use up what is for its owner.

        Raises:
            Denying: he has asked too often; or he has a certificate that names nobody.
        """
        if case.way is claims.CONNECTION:
            case.certificate = case.shown.certificate
            case.peer = claims.by_connection(case.shown, self._admission.known)
            self._charge_issue(case.peer.fingerprint, case.peer.name, now)
        elif wait := self._sources.take(source(case.shown.address), now):
            raise Denying(Denial.BUSY, "too many requests from your address", retry_after=wait)

    def _charge_issue(self, key: str, name: str, now: float) -> None:
        if wait := self._names.take(key, now):
            raise Denying(Denial.BUSY, f"too many requests for certificates of {name}", retry_after=wait)

    # One request

    async def _decide(self, case: _Case) -> Issued:
        key = claims.key_of(case.asked.request)
        token = await self._identify(case, key)
        name = case.peer.name
        claims.check_name(case.asked.name, name)
        self._ask_gate(case.peer)
        record = await self._record(name, case.way)
        if record is not None and case.certificate is not None:
            claims.check_floor(case.certificate, record, name)
        signer = await read_signer(self._cluster, self._namespace)
        charged = name
        if token is not None:
            await self._tokens.use(token, key)
            # It is an operator's word, and counts for itself, whatever the last owner of the name does.
            charged = f"token {token.shown.id}"
        self._charge_issue(charged, name, trio.current_time())
        chain = signer.sign(key, name, self._rules.lifetime, self._env)
        leaf, until = claims.der_of(chain)
        claims.check_fits(leaf, name, self._admission.identify)
        await self._note(case, record, leaf, until, token)
        self._ask_gate(case.peer)  # Somebody may have blocked him meanwhile.
        case.issued = f"{fingerprint(leaf)} until {tokens.written(until)}"
        return Issued(chain, signer.roots_pem)

    def _ask_gate(self, peer: Peer) -> None:
        if (refusal := self._admission.gate(peer)) is not None:
            raise claims.outside(refusal)

    async def _identify(self, case: _Case, key: PublicKey) -> Found | None:
        """Who asks, by one of the three ways; the token, if it is that.

        Raises:
            Denying: nobody whom we know.
        """
        asked, identify = case.asked, self._admission.known
        if asked.token is not None:
            return await self._by_token(case, asked.token, key)
        if asked.proof is not None:
            case.certificate = asked.proof.certificate
            case.peer = claims.by_last_key(
                asked,
                asked.proof,
                case.shown,
                identify,
                authorities=await read_authorities(self._cluster, self._namespace),
                window=self._rules.window,
                now=self._env.now(),
            )
        return None

    async def _by_token(self, case: _Case, token: ShownToken, key: PublicKey) -> Found:
        found, name = await self._tokens.find(token), case.asked.name
        if case.shown.certificate is not None:
            # Whoever has a certificate that TLS takes is who that says.
            name = claims.by_connection(case.shown, self._admission.known).name
        agent = found.judge(claims=name, key=key, now=self._env.now())
        assert found.secret is not None  # Else nothing would be granted.
        case.peer = claims.by_token(agent, found.secret, case.shown)
        record = await self._record(agent, case.way)
        if record is not None:
            now = self._env.now()
            taken = record.is_taken(now)
            found.judge(claims=name, key=key, now=now, holder=record.holder, taken=taken)
        return found

    async def _record(self, name: str, way: claims.Way) -> Record | None:
        """What the hub knows of this agent; None: it has no cluster secret, and needs none yet.

        Raises:
            Denying: it must have one.
        """
        if not is_dns_label(name) or name == self._namespace:
            raise Denying(Denial.NOBODY, f"{name!r} cannot be an agent's name")
        record = claims.read_record((await self._secrets(name)).items, name)
        if record is None and (way is claims.LAST_KEY or not self._rules.registers):
            text = f"the hub has no cluster secret labelled {name}: add the agent, see docs/agents.md"
            raise Denying(Denial.UNKNOWN_AGENT, text)
        return record

    async def _note(
        self, case: _Case, record: Record | None, leaf: bytes, until: float, token: Found | None
    ) -> None:
        """Note on the cluster secret what was issued; it goes nowhere before that stands there.

        Raises:
            Denying: somebody else was given one at the same time.
        """
        for _ in range(NOTE_ATTEMPTS):
            if record is None:
                return
            now = self._env.now()
            patch = record.noting(leaf, until, case.way, now)
            try:
                await self._cluster.patch(SECRETS, self._namespace, record.secret.meta.name, patch)
            except (errors.Conflict, errors.NotFound):
                known, record = record.certificate, await self._record(case.peer.name, case.way)
                if record is not None and token is not None and record.certificate != known:
                    claims.judged(Verdict.TAKEN)
                if record is not None and case.certificate is not None:
                    claims.check_floor(case.certificate, record, case.peer.name)
            else:
                return
        raise Denying(Denial.BUSY, "its cluster secret changes all the time", retry_after=BUSY_RETRY)

    # For ever

    async def run(self) -> None:
        """Take away the tokens that nobody needs any more, until cancelled."""
        while self._rules.issues:
            try:
                await self._tokens.sweep()
            except _ANSWERS as exc:
                self._line.tell(f"old tokens cannot be taken away: {exc}")
            await trio.sleep(SWEEP)


def _not_issuing(reason: str) -> Denying:
    return Denying(Denial.NOT_ISSUING, claims.NOT_ISSUING, retry_after=DAY, reason=reason)
