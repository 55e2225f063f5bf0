"""``trio-argoagent ctl pki rotate-ca``: lets another root take over, one phase after the other.

Each run looks at the whole fleet, does what may be done now, and says what it waits for. What it does is said
by what stands there, never by what an earlier run has done: one that was interrupted is simply run again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import click

from trio_argoagent.cli import running, vaults
from trio_argoagent.cli.contexts import Place
from trio_argoagent.cli.ctl_agent import ask, read_secrets
from trio_argoagent.cli.ctl_pki import create_authority, load, roots_of
from trio_argoagent.cli.ctl_reissue import reissue_clusters, reissue_servers
from trio_argoagent.cli.key_options import Order
from trio_argoagent.cli.output import rendered
from trio_argoagent.cli.vaults import ClusterVault, Kept
from trio_argoagent.errors import UserError
from trio_argoagent.pki import rotation
from trio_argoagent.pki.bundles import Bundle, fingerprint
from trio_argoagent.pki.inspection import moment
from trio_argoagent.pki.rotation import Agent, Phase, Rotation, Verdict
from trio_argoagent.ports.env import Env
from trio_argoagent.principal.clusters import choose, read_entry
from trio_argoagent.principal.trust import TRUST, read_seen
from trio_argoagent.runtime.world import real_env

NEXT_CERTIFICATE, NEXT_KEY = "next.crt", "next.key"
"""The new root in the Secret of the old one, until it issues."""
_DOING = {
    Phase.TRUST: "both roots are to be trusted everywhere; the old one issues",
    Phase.ISSUE: "the new root issues; the hub's own certificates are made anew",
    Phase.RENEW: "the new root issues; the agents' certificates are renewed",
    Phase.DROP: "the old root is to be trusted by nobody any more",
}


@attrs.frozen
class Standing:
    """How a rotation stands.

    Attributes:
        rotation: as it is; None: there is none.
        verdict: on its next phase.
        agents: all that the hub knows.
        done: what this run has done, for people.
        answered: does a principal answer?
    """

    rotation: Rotation | None
    verdict: Verdict = attrs.field(factory=lambda: Verdict((), ()))
    agents: tuple[Agent, ...] = ()
    done: tuple[str, ...] = ()
    answered: bool = True


def run_rotate(
    *, hub: Place, order: Order, status: bool, abort: bool, without: Sequence[str], output: str
) -> None:
    """Rotate, or say how it stands."""
    if status and (abort or without):
        raise click.UsageError("--status changes nothing: give it alone", click.get_current_context())

    async def program() -> int:
        async with hub.open() as cluster:
            vault, env = ClusterVault(cluster, hub.namespace), real_env()
            if status:
                standing = await look(vault, env)
            else:
                standing = await rotate(vault, order, env, without=without, abort=abort)
        click.echo(rendered(output, as_text(standing), as_document(standing)))
        return 0

    running.run(program)


async def look(vault: ClusterVault, env: Env) -> Standing:
    """How it stands.

    Raises:
        UserError: the hub does not let us see it.
    """
    kept = await vault.read(vaults.CA)
    state = rotation.read(kept.annotations.get(rotation.ANNOTATION, "")) if kept is not None else None
    if state is None:
        return Standing(None)
    agents, answered = await gather(vault, state, env.new_id())
    return Standing(state, rotation.judge(state, agents, env.now()), agents, (), answered)


async def rotate(
    vault: ClusterVault, order: Order, env: Env, *, without: Sequence[str] = (), abort: bool = False
) -> Standing:
    """Do what may be done now.

    Args:
        vault: the hub's.
        order: of a new authority, if there is no rotation yet.
        env: time and entropy.
        without: agents that are not waited for.
        abort: take the new root back.

    Raises:
        UserError: it cannot be done.
    """
    _, kept = await load(vault)
    state, done = rotation.read(kept.annotations.get(rotation.ANNOTATION, "")), []
    if state is None:
        if abort or without:
            raise UserError("no rotation is under way; to begin one: trio-argoagent ctl pki rotate-ca")
        state = await _begin(vault, order, env)
        done.append(f"made another root, {state.new}")
    elif abort:
        state = await _abandon(vault, state)
        done.append(f"the new root {state.old} is taken back")
    agents, answered = await gather(vault, state, env.new_id())
    _check_names(without, agents)
    if set(without) - set(state.without):
        state = rotation.without(state, without)
        await _note(vault, state)
    while True:
        done += await reissue_clusters(vault, state, env)
        verdict = rotation.judge(state, agents, env.now())
        if not verdict.may_advance:
            return Standing(state, verdict, agents, tuple(done), answered)
        following = await _advance(vault, state, env, done)
        if following is None:
            done.append(f"the root {state.new} has taken over")
            return Standing(None, verdict, agents, tuple(done), answered)
        state = following


async def gather(vault: ClusterVault, state: Rotation, word: str) -> tuple[tuple[Agent, ...], bool]:
    """What is known of each agent, and whether a principal answers.

    Args:
        vault: the hub's.
        state: of the rotation: what was seen before it began does not count.
        word: to ask the principal with; new each time.

    Raises:
        UserError: the hub does not let us see it.
    """
    secrets = await read_secrets(vault.cluster, vault.namespace)
    answer = await ask(vault.cluster, vault.namespace, word) if secrets else None
    agents = []
    for name, each in secrets.items():
        entry = choose(map(read_entry, each))
        found = next((one for one in each if entry is not None and one.meta.name == entry.secret), None)
        seen = read_seen(found.annotations.get(TRUST, "")) if found is not None else None
        if seen is not None and seen.at < int(state.since):
            seen = None
        connected = answer is not None and name in answer.connected
        if seen is None:
            agents.append(Agent(name, connected))
        else:
            agents.append(Agent(name, connected, float(seen.at), seen.roots, seen.issuer))
    return tuple(agents), answer is not None or not secrets


# What is done


async def _begin(vault: ClusterVault, order: Order, env: Env) -> Rotation:
    authority, kept = await load(vault)
    new = create_authority(order, env)
    roots = roots_of(kept.data, vault.called(vaults.CA)).merged(Bundle((new.certificate,)))
    state = Rotation(
        phase=Phase.TRUST,
        old=fingerprint(authority.certificate),
        new=fingerprint(new.certificate),
        since=env.now(),
    )
    data = {"ca.crt": roots.pem, NEXT_CERTIFICATE: new.certificate_pem, NEXT_KEY: new.key_pem}
    await _write(vault, kept, {**kept.data, **data}, state)
    return state


async def _abandon(vault: ClusterVault, state: Rotation) -> Rotation:
    state = rotation.abandoned(state)
    _, kept = await load(vault)
    data = {name: value for name, value in kept.data.items() if name not in (NEXT_CERTIFICATE, NEXT_KEY)}
    await _write(vault, kept, _without(data, state.old), state)
    return state


async def _note(vault: ClusterVault, state: Rotation) -> None:
    _, kept = await load(vault)
    await _write(vault, kept, kept.data, state)


async def _advance(vault: ClusterVault, state: Rotation, env: Env, done: list[str]) -> Rotation | None:
    """Carry out what the next phase begins with; that phase, or None: it is over."""
    following = rotation.advanced(state)
    if state.phase is Phase.ISSUE:
        done += await reissue_servers(vault, state, env)
    _, kept = await load(vault)
    data = dict(kept.data)
    if following is None:
        dropped = rotation.dropping(kept.annotations.get(rotation.DROPPED, ""), state.old)
        notes = {rotation.ANNOTATION: None, rotation.DROPPED: dropped}
        await vault.write(vaults.CA, _tidied(data), over=kept, annotations=notes)
        return None
    if following.phase is Phase.ISSUE:
        try:
            data["tls.crt"], data["tls.key"] = data.pop(NEXT_CERTIFICATE), data.pop(NEXT_KEY)
        except KeyError as exc:
            called = vault.called(vaults.CA)
            raise UserError(f"{called} has no {exc.args[0]}: abandon it (--abort), and begin again") from None
    elif following.phase is Phase.DROP:
        data = _without(data, state.old)
    await _write(vault, kept, data, following)
    done.append(f"phase {following.phase}: {_DOING[following.phase]}")
    return following


async def _write(vault: ClusterVault, kept: Kept, data: Any, state: Rotation) -> None:
    await vault.write(vaults.CA, data, over=kept, annotations={rotation.ANNOTATION: rotation.encode(state)})


def _without(data: Any, root: str) -> dict[str, bytes]:
    return {**data, "ca.crt": Bundle.read(data["ca.crt"]).without(root).pem}


def _tidied(data: dict[str, bytes]) -> dict[str, bytes]:
    """As it was before, if there is but one root again."""
    if Bundle.read(data["ca.crt"]) != Bundle.read(data["tls.crt"]):
        return data
    return {name: value for name, value in data.items() if name != "ca.crt"}


def _check_names(names: Sequence[str], agents: Sequence[Agent]) -> None:
    known = [agent.name for agent in agents]
    for name in names:
        if name not in known:
            raise UserError(
                f"--without {name}: the hub knows no such agent; see: trio-argoagent ctl agent list"
            )


# For people and programs


def as_document(standing: Standing) -> dict[str, Any]:
    """All of it as a plain JSON value."""
    state = standing.rotation
    if state is None:
        return {"phase": None, "done": list(standing.done)}
    return {
        "phase": str(state.phase),
        "since": moment(state.since),
        "old": state.old,
        "new": state.new,
        "without": list(state.without),
        "agents": len(standing.agents),
        "waitsFor": {each.name: each.why for each in standing.verdict.waits},
        "leavesBehind": {each.name: each.why for each in standing.verdict.left},
        "done": list(standing.done),
    }


def as_text(standing: Standing) -> str:
    """What was done, how it stands, and what to do."""
    lines = list(standing.done)
    state, verdict = standing.rotation, standing.verdict
    if state is None:
        return "\n".join(lines or ["no rotation is under way"])
    lines += [
        f"phase {state.phase} of a rotation since {moment(state.since)}: {_DOING[state.phase]}",
        f"  old root {state.old}",
        f"  new root {state.new}",
    ]
    if not standing.answered:
        lines.append("no principal answers: nobody is known to be connected")
    ready = len(standing.agents) - len(verdict.waits)
    lines.append(f"{ready} of {len(standing.agents)} agents are ready for the next phase")
    lines += [f"  waits for {each.name}: {each.why}" for each in verdict.waits]
    lines += [f"  leaves {each.name} behind: {each.why}" for each in verdict.left]
    if verdict.may_advance:
        lines.append("to go on: trio-argoagent ctl pki rotate-ca")
    else:
        lines.append("run it again later; not to wait for an agent: --without NAME")
    return "\n".join(lines)
