"""``trio-argoagent ctl diff``: what the hub wants of an agent, what it is known to hold, what is there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import attrs
import click
import msgspec

from trio_argoagent.cli import ctl_agent, running
from trio_argoagent.cli.contexts import Place
from trio_argoagent.cli.ctl_fleet import span
from trio_argoagent.cli.ctl_register import registered
from trio_argoagent.cli.diffing import KINDS, WHOLLY, Difference, Objects, Terms, differences
from trio_argoagent.cli.output import rendered
from trio_argoagent.cli.secretdata import NO_ANSWER
from trio_argoagent.errors import UserError
from trio_argoagent.model import keys
from trio_argoagent.ports.cluster import Cluster
from trio_argoagent.principal.clusters import Pin, read_entry
from trio_argoagent.principal.presence import Answer
from trio_argoagent.runtime.config import PrincipalConfig
from trio_argoagent.runtime.options.kinds import Kind
from trio_argoagent.runtime.options.meanings import GLOBS, SELECTOR
from trio_argoagent.runtime.world import real_env
from trio_argoagent.sync import kinds
from trio_argoagent.sync.mapping import NamespaceMapping, Style
from trio_argoagent.sync.patterns import ALL
from trio_argoagent.sync.policy import Local
from trio_argoagent.sync.selection import Selection


@attrs.frozen
class Diff:
    """One agent.

    Attributes:
        agent: its name.
        answer: what the principal says; None: none answers.
        found: where the two clusters differ; None: the spoke was not looked at.
    """

    agent: str
    answer: Answer | None
    found: Sequence[Difference] | None


def run_diff(
    *,
    hub: Place,
    spoke: Place | None,
    name: str,
    by_destination: bool,
    label_selector: tuple[str, ...],
    local_annotations: tuple[str, ...],
    local_labels: tuple[str, ...],
    output: str,
) -> None:
    """Print it; ends with 1 if there is any difference."""

    async def program() -> int:
        word, style = real_env().new_id(), Style.DESTINATION if by_destination else Style.NAMESPACE
        terms = read_terms(label_selector, local_annotations, local_labels)
        async with hub.open() as cluster:
            if spoke is None:
                diff = await compare(cluster, hub.namespace, name, word, None, style, terms)
            else:
                async with spoke.open() as other:
                    diff = await compare(cluster, hub.namespace, name, word, other, style, terms)
        click.echo(rendered(output, as_text(diff), as_document(diff)))
        return int(differs(diff))

    running.run(program)


def read_terms(selectors: Iterable[str], annotations: Iterable[str], labels: Iterable[str]) -> Terms:
    """What both programs were told, as their options say it.

    Raises:
        UserError: one of them cannot be used; the text names it.
    """
    return Terms(
        Selection(tuple(_read("--label-selector", SELECTOR, text) for text in selectors)),
        Local(
            tuple(glob for text in annotations for glob in _read("--local-annotations", GLOBS, text)),
            tuple(glob for text in labels for glob in _read("--local-labels", GLOBS, text)),
        ),
    )


def _read(option: str, kind: Kind, text: str) -> Any:
    try:
        return kind.parse(text)
    except ValueError as exc:
        raise UserError(f"{option}: {exc}") from exc


async def compare(
    hub: Cluster,
    namespace: str,
    name: str,
    word: str,
    spoke: Cluster | None,
    style: Style,
    terms: Terms = WHOLLY,
) -> Diff:
    """Look at an agent.

    Args:
        hub: its API.
        namespace: Argo CD's on the hub.
        name: the agent's.
        word: to ask the principal with; new each time.
        spoke: its API; None: only the principal is asked.
        style: how Applications find a managed agent.
        terms: what of them is replicated.

    Raises:
        UserError: there is no such agent, nobody has come under its name yet, or a cluster does not let us.
    """
    entry = read_entry(await registered(hub, namespace, name))
    answer = await ctl_agent.ask(hub, namespace, word, name)
    if spoke is None:
        return Diff(name, answer, None)
    if entry.pin is None:
        raise UserError(f"nobody has come as {name} yet, so its mode is not known")
    mapping = _mapping(namespace, name, entry.pin, entry.home, style)
    found = await _compare_clusters(hub, spoke, mapping, terms)
    return Diff(name, answer, found)


def _mapping(namespace: str, name: str, pin: Pin, home: str, style: Style) -> NamespaceMapping:
    config = PrincipalConfig(namespace, style=style, allowed_namespaces=ALL)
    return config.mapping(name, pin.mode, pin.namespace, home)


async def _compare_clusters(
    hub: Cluster, spoke: Cluster, mapping: NamespaceMapping, terms: Terms
) -> Sequence[Difference]:
    everywhere = mapping.home == mapping.principal_namespace  # By destination, in whatever namespaces.
    here = "" if everywhere else mapping.home
    there = "" if everywhere else mapping.agent_namespace
    projects, apps = keys.Kind.APP_PROJECT, keys.Kind.APPLICATION
    ours = await _list(hub, "hub", {apps: here, projects: mapping.principal_namespace})
    theirs = await _list(spoke, "spoke", {apps: there, projects: mapping.agent_namespace})
    return differences(mapping, ours, theirs, terms)


async def _list(cluster: Cluster, side: str, places: dict[keys.Kind, str]) -> Objects:
    found = {}
    for kind in KINDS:
        resource = kinds.BASE[kind].resource
        try:
            found[kind] = (await cluster.list(resource, places[kind])).items
        except NO_ANSWER as exc:
            raise UserError(f"cannot read the {resource.plural} of the {side}: {exc}") from exc
    return found


def differs(diff: Diff) -> bool:
    """Is anything not as it should be?"""
    about = diff.answer.about if diff.answer is not None else None
    return bool(diff.found) or bool(about is not None and about.waiting)


def as_text(diff: Diff) -> str:
    """For people: first what the principal knows, then what was found."""
    about = diff.answer.about if diff.answer is not None else None
    if diff.answer is None:
        lines = ["no principal answers: what the agent is known to hold is not known"]
    elif about is None:
        lines = [f"the principal does not follow {diff.agent}: nobody has come under its name"]
    else:
        connected = "connected" if diff.agent in diff.answer.connected else "not connected"
        lines = [f"{diff.agent} is {connected}; {about.numbers.unsettled} of what it should hold not settled"]
        lines += [
            f"  {each.what} {each.state} for {span(each.seconds)}"
            + (f": {each.reason}" if each.reason else "")
            for each in about.waiting
        ]
    if diff.found is None:
        lines.append("its cluster was not looked at: give --agent-context NAME")
    else:
        lines.append(
            f"between the two clusters {len(diff.found) or 'no'} Applications and AppProjects differ"
        )
        lines += [f"  {each}" for each in diff.found]
    return "\n".join(lines)


def as_document(diff: Diff) -> dict[str, Any]:
    """As plain values; what is not known is null."""
    about = diff.answer.about if diff.answer is not None else None
    found = None
    if diff.found is not None:
        found = [
            {
                "kind": str(each.key.kind),
                "namespace": each.key.namespace,
                "name": each.key.name,
                "state": str(each.state),
                "fields": list(each.paths),
            }
            for each in diff.found
        ]
    return {
        "agent": diff.agent,
        "connected": diff.agent in diff.answer.connected if diff.answer is not None else None,
        "unsettled": about.numbers.unsettled if about is not None else None,
        "waiting": [msgspec.to_builtins(each) for each in about.waiting] if about is not None else None,
        "differences": found,
    }
