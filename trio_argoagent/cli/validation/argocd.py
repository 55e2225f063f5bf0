"""Checks of Argo CD itself, on either side: what runs, who may reach its Redis, and its scope on the hub."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Final

from trio_argoagent.cli.validation import asked
from trio_argoagent.cli.validation.checks import Check, Finding, Side, Sight, fail, warn
from trio_argoagent.cli.validation.registrations import value

NAME: Final = "app.kubernetes.io/name"
PART_OF: Final = "app.kubernetes.io/part-of"
COMPONENT: Final = "app.kubernetes.io/component"
REDIS: Final = "argocd-redis"
_PROGRAMS: Final = {Side.HUB: "argocd-agent-principal", Side.SPOKE: "argocd-agent-agent"}
"""How the programs' pods are labelled by name."""
_NEEDED: Final = {
    Side.HUB: ("server", "repo-server", "redis"),
    Side.SPOKE: ("application-controller", "repo-server", "redis"),
}
_AMISS: Final = {
    Side.HUB: ("application-controller", "applicationset-controller"),
    Side.SPOKE: ("server", "dex-server"),
}
_WHY: Final = {
    "application-controller": "it must leave the agents' clusters and namespaces alone (a hybrid hub)",
    "applicationset-controller": "it is needed only for ApplicationSets of the hub",
    "server": "users are served by the hub's, and what they change here may be put back",
    "dex-server": "users log in at the hub",
}


def _deployed(side: Side, sight: Sight) -> Iterator[Finding]:
    there = {
        each.labels.get(COMPONENT, ""): each.meta.name
        for query in asked.workloads(side)
        for each in sight.all(query)
        if each.labels.get(PART_OF) == "argocd"
    }
    missing = [name for name in _NEEDED[side] if name not in there]
    if missing:
        text = f"Argo CD's {', '.join(missing)} not found among the workloads of"
        yield warn(f"{text} namespace {sight.namespaces[side]}: is it installed elsewhere?")
    for component in _AMISS[side]:
        if component in there:
            yield warn(f"{there[component]} runs here: {_WHY[component]}")


def _redis(side: Side, sight: Sight) -> Iterator[Finding]:
    program, where = _PROGRAMS[side], sight.namespaces[side]
    policies = [(each.meta.name, each.get("spec") or {}) for each in sight.all(asked.policies(side))]
    about = [(name, spec) for name, spec in policies if _labels(spec.get("podSelector")).get(NAME) == REDIS]
    if not about:
        yield warn(f"no NetworkPolicy of namespace {where} guards {REDIS}: every pod may reach it")
    for name, spec in about:
        if not any(_admits(rule, program) for rule in spec.get("ingress") or ()):
            text = f"NetworkPolicy {name} does not let {program} reach Redis"
            yield fail(f"{text}: add an ingress rule from pods labelled {NAME}: {program}")


def _admits(rule: dict[str, Any], program: str) -> bool:
    sources = rule.get("from") or ()
    # A rule without sources admits everybody; so does an empty selector of pods.
    selectors = [source["podSelector"] for source in sources if source.get("podSelector") is not None]
    return not sources or any(not each or _labels(each).get(NAME) == program for each in selectors)


def _labels(selector: Any) -> dict[str, str]:
    return (selector or {}).get("matchLabels") or {}


def _scope(sight: Sight) -> Iterator[Finding]:
    for each in sight.all(asked.HUB_OPERATED):
        if (each.get("spec") or {}).get("applicationNamespaces"):
            text = f"ArgoCD {each.meta.name}: spec.applicationNamespaces is set"
            yield warn(f"{text}: argocd-agent wants Argo CD to be cluster-scoped, so take it away")
    if value(sight.one(asked.HUB_ARGOCD), "application.namespaces"):
        text = "ConfigMap argocd-cm: application.namespaces belongs into argocd-cmd-params-cm"
        yield warn(f"{text}; argocd-agent takes it for an Argo CD that is not cluster-scoped")
    if not sight.all(asked.HUB_OPERATED) and sight.one(asked.HUB_ARGOCD) is None:
        where = sight.namespaces[Side.HUB]
        yield fail(f"there is no Argo CD in namespace {where}: no ConfigMap argocd-cm; give --namespace")


def _no_applications(sight: Sight) -> Iterator[Finding]:
    found = sorted(each.meta.name for each in sight.all(asked.HUB_APPLICATIONS))
    if found:
        shown = ", ".join(found[:5]) + (f" and {len(found) - 5} more" if len(found) > 5 else "")
        text = f"{shown} in namespace {sight.namespaces[Side.HUB]}: no agent gets them by namespace"
        yield warn(f"{text}; move them, unless the hub deploys them itself or maps by destination")


def _checks(side: Side) -> Sequence[Check]:
    return (
        Check(f"Argo CD's components on the {side}", asked.workloads(side), partial(_deployed, side)),
        Check(f"Redis of the {side} admits our program", (asked.policies(side),), partial(_redis, side)),
    )


HUB: Final = (
    Check("Argo CD is there, and cluster-scoped", (asked.HUB_ARGOCD, asked.HUB_OPERATED), _scope),
    Check("no Applications in Argo CD's namespace of the hub", (asked.HUB_APPLICATIONS,), _no_applications),
    *_checks(Side.HUB),
)
SPOKE: Final = tuple(_checks(Side.SPOKE))
