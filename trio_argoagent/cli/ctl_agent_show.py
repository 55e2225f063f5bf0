"""``trio-argoagent ctl agent inspect|print-tls``: one agent, as the hub knows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs
import click
import msgspec

from trio_argoagent.cli import ctl, ctl_agent, running
from trio_argoagent.cli.clusterconfig import ClusterConfig, read_config
from trio_argoagent.cli.contexts import Place
from trio_argoagent.cli.ctl_fleet import counted, span
from trio_argoagent.cli.ctl_register import registered
from trio_argoagent.cli.output import fields, rendered
from trio_argoagent.errors import UserError
from trio_argoagent.model.objects import Object
from trio_argoagent.pki import inspection, keys
from trio_argoagent.pki.inspection import Findings, Role, moment
from trio_argoagent.ports.cluster import Cluster
from trio_argoagent.principal.claims import CERTIFICATE
from trio_argoagent.principal.clusters import Entry, read_entry
from trio_argoagent.principal.holds import HeldEntry
from trio_argoagent.principal.presence import Answer
from trio_argoagent.runtime.world import real_env

PARTS: Final = {"cert": "tls.crt", "key": "tls.key", "ca": "ca.crt"}
"""What ``print-tls`` prints, by argocd-agentctl's names."""


@attrs.frozen
class View:
    """All that the hub knows of one agent.

    Attributes:
        entry: what its cluster secret says.
        labels: of the secret.
        answer: what the principal says; None: none answers.
        held: the deletions on its behalf that wait for a person.
        findings: of the certificate in the secret; None: there is none that can be read.
        issued: the fingerprint of the agent's own certificate that the principal has issued last, and when it
            expires; empty: it has issued none.
    """

    entry: Entry
    labels: Mapping[str, str]
    answer: Answer | None
    held: HeldEntry | None
    findings: Findings | None
    issued: str = ""


def run_inspect(*, hub: Place, name: str, output: str) -> None:
    """Print what there is to know of an agent."""

    async def program() -> int:
        env = real_env()
        async with hub.open() as cluster:
            found = await view(cluster, hub.namespace, name, env.new_id(), env.now())
        click.echo(rendered(output, as_text(found), as_document(found)))
        return 0

    running.run(program)


def run_print(*, hub: Place, name: str, part: str) -> None:
    """Print a part of what Argo CD shows the resource proxy."""

    async def program() -> int:
        async with hub.open() as cluster:
            secret = await registered(cluster, hub.namespace, name)
        click.echo(print_tls(secret, part), nl=False)
        return 0

    running.run(program)


def print_tls(secret: Object, part: str) -> bytes:
    """That part of a cluster secret, as PEM.

    Raises:
        UserError: it has none.
    """
    tls = read_config(secret).tls
    if PARTS[part] not in tls:
        agent = read_entry(secret).agent
        text = f"Secret {secret.meta.name} has no {part}: issue a certificate with"
        raise UserError(f"{text} trio-argoagent ctl agent reconfigure {agent} --reissue-client-cert")
    return tls[PARTS[part]]


async def view(hub: Cluster, namespace: str, name: str, word: str, now: float) -> View:
    """Look at an agent.

    Args:
        hub: its API.
        namespace: Argo CD's.
        name: the agent's.
        word: to ask the principal with; new each time.
        now: Unix seconds.

    Raises:
        UserError: there is no such agent, or the hub does not let us look.
    """
    secret = await registered(hub, namespace, name)
    issued = " ".join(secret.annotations.get(CERTIFICATE, "").split(" ")[:2])
    answer = await ctl_agent.ask(hub, namespace, word, name)
    held = (await ctl.read_all(hub, namespace)).get(name)
    try:
        findings = _findings(read_config(secret), now)
    except UserError:
        findings = None  # ``ctl validate`` says what is wrong with it.
    return View(read_entry(secret), secret.labels, answer, held, findings, issued)


def _findings(config: ClusterConfig, now: float) -> Findings | None:
    pem = config.tls.get("tls.crt")
    return inspection.inspect(keys.load_certificates(pem)[0], Role.CLIENT, now) if pem else None


def as_document(found: View) -> dict[str, Any]:
    """As plain values; the first four are argocd-agentctl's."""
    entry, certificate, held = found.entry, found.findings, found.held
    pin = entry.pin
    answer = found.answer
    live = answer.connected.get(entry.agent) if answer is not None else None
    about = answer.about if answer is not None else None
    numbers = about.numbers if about is not None else None
    return {
        "server": entry.server,
        "name": entry.agent,
        "notValidBefore": moment(certificate.not_before) if certificate else None,
        "notValidAfter": moment(certificate.not_after) if certificate else None,
        "fingerprint": certificate.fingerprint if certificate else None,
        "problems": [
            *([entry.problem] if entry.problem else []),
            *(certificate.problems if certificate else ()),
        ],
        "secret": entry.secret,
        "namespace": entry.home,
        "labels": dict(sorted(found.labels.items())),
        "mode": str(pin.mode) if pin is not None else None,
        "cluster": pin.cluster_uid if pin is not None else None,
        "clusterNamespace": pin.namespace if pin is not None else None,
        "state": ctl_agent.state(entry, answer),
        "connectedSince": moment(live.since) if live is not None else None,
        "contested": live.contested if live is not None else False,
        "issued": found.issued or None,
        "linkFingerprint": about.fingerprint if about is not None and about.fingerprint else None,
        "linkAddress": about.address if about is not None and about.address else None,
        **counted(numbers),
        "consistentAsOf": about.as_of or None if about is not None else None,
        "silence": about.silence if about is not None else "",
        "history": [
            {"since": moment(each.since), "until": moment(each.until), "reason": each.reason}
            for each in (about.links if about is not None else ())
        ],
        "waiting": [msgspec.to_builtins(each) for each in about.waiting] if about is not None else [],
        "held": {"set": held.set, "total": held.total, "reason": held.reason} if held is not None else None,
    }


_LINES: Final = (
    ("Name", "name"),
    ("State", "state"),
    ("Mode", "mode"),
    ("Cluster", "cluster"),
    ("Its namespace there", "clusterNamespace"),
    ("Namespace on the hub", "namespace"),
    ("Linked from", "linkAddress"),
    ("Certificate of the link", "linkFingerprint"),
    ("Issued last", "issued"),
    ("Secret", "secret"),
    ("Server address", "server"),
    ("Its certificate", "fingerprint"),
    ("Not valid before", "notValidBefore"),
    ("Not valid after", "notValidAfter"),
)


def _waiting(each: Mapping[str, Any]) -> str:
    reason = f": {each['reason']}" if each.get("reason") else ""
    return f"{each['what']} {each['state']} for {span(each.get('seconds', 0))}{reason}"


def as_text(found: View) -> str:
    """For people."""
    document = as_document(found)
    lines = [(title, str(document[key] or "")) for title, key in _LINES]
    lines.append(("Labels", ", ".join(f"{key}={value}" for key, value in document["labels"].items())))
    lines += [("Problem", each) for each in document["problems"]]
    if document["wanted"] is not None:
        lines.append(
            ("Its cluster", "{wanted} objects wanted, {unsettled} of all not settled".format(**document))
        )
        lines.append(
            ("On the hub", "{mirrored} objects and statuses of its, {pending} to come".format(**document))
        )
        lines.append(("Links", f"{document['links']} since the principal started"))
    lines += [("Earlier link", "{since} to {until}: {reason}".format(**each)) for each in document["history"]]
    lines += [("Deletions not told", document["silence"])]
    lines += [("Not settled", _waiting(each)) for each in document["waiting"]]
    if found.held is not None:
        text = f"{found.held.total} ({found.held.reason}); see: trio-argoagent ctl deletes list"
        lines.append(("Held deletions", f"{text} {found.entry.agent}"))
    return fields(lines)
