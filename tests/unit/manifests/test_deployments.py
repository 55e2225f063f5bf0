"""The pods: what runs in them, how, and whom they let in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from trio_argoagent._version import __version__
from trio_argoagent.cli.manifests import Objects, built, keys
from trio_argoagent.cli.manifests_command import OVERLAYS
from trio_argoagent.runtime.observing import routes
from trio_argoagent.runtime.observing.board import Board
from trio_argoagent.runtime.options.programs import PROGRAMS

from . import upstream

ROOT = Path(__file__).parents[3]
KEYS = {"principal": upstream.PRINCIPAL, "agent": upstream.AGENT}
UNMAPPED = {
    "KUBECONFIG",
    "REDIS_CREDS_DIR_PATH",
    "ARGOCD_AGENT_BOOTSTRAP_TOKEN_FILE",
    "ARGOCD_PRINCIPAL_HA_ENABLED",
}
"""Variables that such a pod has no use for: it knows its cluster, has no files, and is alone."""
NAME = "app.kubernetes.io/name"


@pytest.fixture(params=[*OVERLAYS])
def overlay(request: pytest.FixtureRequest) -> str:
    """Each of them."""
    return str(request.param)


@pytest.fixture
def objects(overlay: str) -> Objects:
    """Of it."""
    return built(overlay)


def one(objects: Objects, kind: str, name: str = "") -> dict[str, Any]:
    """The one of this kind, and of this name if there are others."""
    (found,) = (each for each in objects if each["kind"] == kind and name in ("", each["metadata"]["name"]))
    return found


def pod(objects: Objects) -> dict[str, Any]:
    """The spec of the Deployment's pods."""
    return one(objects, "Deployment")["spec"]["template"]["spec"]  # type: ignore[no-any-return]


def variables(overlay: str) -> dict[str, set[str]]:
    """Option -> its environment variables, of the program that is installed."""
    program = PROGRAMS[OVERLAYS[overlay]]
    return {option.flag: set(program.variables(option)) for option in program}


def test_the_restricted_pod_security_standard(objects: Objects) -> None:
    """Each of its controls, as far as there is anything to control."""
    spec = pod(objects)
    forbidden = {"hostNetwork", "hostPID", "hostIPC", "volumes", "initContainers", "ephemeralContainers"}
    assert not forbidden & set(spec)
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] > 0
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    (container,) = spec["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    assert not any("hostPort" in port for port in container.get("ports", ()))
    assert {"cpu", "memory"} <= set(container["resources"]["requests"])
    assert "memory" in container["resources"]["limits"]


def test_who_it_is(objects: Objects) -> None:
    """An account whose token nobody gets who does not ask for it."""
    account = one(objects, "ServiceAccount")
    assert account["automountServiceAccountToken"] is False
    assert pod(objects)["serviceAccountName"] == account["metadata"]["name"]
    assert pod(objects)["automountServiceAccountToken"] is True
    for each in objects:
        for subject in each.get("subjects", ()):
            assert subject["name"] == account["metadata"]["name"]
            assert subject["namespace"] == account["metadata"]["namespace"]
            assert one(objects, each["roleRef"]["kind"], each["roleRef"]["name"])


def test_what_runs(overlay: str, objects: Objects) -> None:
    """The program of this version, once; links of Services stay out of its environment."""
    (container,) = pod(objects)["containers"]
    assert container["image"] == f"trio-argoagent:{__version__}"
    assert container["args"] == [OVERLAYS[overlay]]
    assert pod(objects)["enableServiceLinks"] is False
    deployment = one(objects, "Deployment")["spec"]
    assert (deployment["replicas"], deployment["strategy"]) == (1, {"type": "Recreate"})


def test_every_variable_is_an_option(overlay: str, objects: Objects) -> None:
    """What the program does not know would be set in vain."""
    known = set().union(*variables(overlay).values())
    (container,) = pod(objects)["containers"]
    assert {each["name"] for each in container["env"]} <= known


def test_every_option_can_be_set(overlay: str, objects: Objects) -> None:
    """By its key, or Redis' password by its Secret; a new option goes into deployment.yaml."""
    (container,) = pod(objects)["containers"]
    there = {each["name"] for each in container["env"]}
    missing = {
        option.flag
        for option in PROGRAMS[OVERLAYS[overlay]]
        if (names := {*PROGRAMS[OVERLAYS[overlay]].variables(option)}) and not names & (there | UNMAPPED)
        if option.key or not option.unused
    }
    assert missing == set()


def test_keys_are_argocd_agents(overlay: str, objects: Objects) -> None:
    """Where it has one; no key stands for two variables, and each is optional."""
    found = keys(objects)
    half = OVERLAYS[overlay]
    ours: Mapping[str, str] = {variable: key for key, variable in found.items()}
    assert {v: k for v, k in ours.items() if v in KEYS[half]} == {
        variable: key for variable, key in KEYS[half].items() if variable in ours
    }
    (container,) = pod(objects)["containers"]
    program = PROGRAMS[half]
    named = {program.key(option): program.variables(option)[0] for option in program if option.key}
    assert named == {key: variable for key, variable in found.items()}
    assert len(found) == sum("configMapKeyRef" in each["valueFrom"] for each in container["env"])
    assert all(key.startswith(f"{half}.") for key in found)
    for each in container["env"]:
        (source,) = each["valueFrom"].values()
        assert source["optional"] is True
    assert set(one(objects, "ConfigMap")["data"]) <= set(found)


def test_services_and_policies_find_the_pod(objects: Objects) -> None:
    """By its labels, and its ports by their names."""
    template = one(objects, "Deployment")["spec"]["template"]
    labels = template["metadata"]["labels"]
    (container,) = template["spec"]["containers"]
    ports = {each["name"]: each["containerPort"] for each in container.get("ports", ())}
    assert one(objects, "Deployment")["spec"]["selector"]["matchLabels"].items() <= labels.items()
    for each in (each for each in objects if each["kind"] == "Service"):
        assert each["spec"]["selector"].items() <= labels.items()
        (port,) = each["spec"]["ports"]
        assert port["targetPort"] in ports
    policy = one(objects, "NetworkPolicy", labels[NAME])["spec"]
    assert policy["podSelector"]["matchLabels"].items() <= labels.items()
    let_in = {port["port"] for rule in policy.get("ingress", ()) for port in rule["ports"]}
    assert let_in == set(ports)
    redis = one(objects, "NetworkPolicy", "argocd-agent-redis")["spec"]["ingress"][0]["from"][0]
    assert labels[NAME] in redis["podSelector"]["matchExpressions"][0]["values"]


def services(overlay: str) -> list[dict[str, Any]]:
    """Of an installation."""
    return [each for each in built(overlay) if each["kind"] == "Service"]


def test_the_services_are_argocd_agents() -> None:
    """Argo CD, agents and Prometheus look for these names and ports."""
    found = {
        overlay: {each["metadata"]["name"]: each["spec"]["ports"][0]["port"] for each in services(overlay)}
        for overlay in OVERLAYS
    }
    of_an_agent = {"argocd-agent-agent-metrics": 8181}
    assert found == {
        "principal": {
            "argocd-agent-principal": 443,
            "argocd-agent-redis-proxy": 6379,
            "argocd-agent-resource-proxy": 9090,
            "argocd-agent-principal-metrics": 8000,
            "argocd-agent-principal-healthz": 8003,
        },
        "agent-managed": of_an_agent,
        "agent-autonomous": of_an_agent,
    }


def test_what_a_principal_that_is_not_ready_still_serves() -> None:
    """Everybody but agents: Argo CD's Redis is behind it, and one wants to know why it is not ready."""
    only_ready = [
        each["metadata"]["name"]
        for each in services("principal")
        if not each["spec"].get("publishNotReadyAddresses")
    ]
    assert only_ready == ["argocd-agent-principal"]


def test_probes(overlay: str, objects: Objects) -> None:
    """They ask for what there is, at the port that the program opens if nobody says otherwise.

    None asks /healthz: argocd-agent's probe of it has each agent of a fleet killed while the hub is away.
    """
    (container,) = pod(objects)["containers"]
    ports = {each["name"]: each["containerPort"] for each in container["ports"]}
    options = PROGRAMS[OVERLAYS[overlay]].by_name
    for name in ("metrics", "healthz"):
        assert str(ports[name]) == options[f"{name}_port"].default
    for probe, path in (("livenessProbe", "livez"), ("readinessProbe", "readyz")):
        assert container[probe]["httpGet"] == {"path": f"/{path}", "port": "healthz"}
        assert path in routes.health(Board())
    assert container["livenessProbe"]["failureThreshold"] * container["livenessProbe"]["periodSeconds"] >= 60


def test_the_container_file(objects: Objects) -> None:
    """Its user is the pods', its program takes their arguments, and it is built of what it needs."""
    security = pod(objects)["securityContext"]
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert f"USER {security['runAsUser']}:{security['runAsGroup']}" in lines
    assert 'ENTRYPOINT ["/opt/trio-argoagent/bin/trio-argoagent"]' in lines
    let_in = {each[1:] for each in (ROOT / ".dockerignore").read_text().splitlines() if each.startswith("!")}
    assert let_in == {"LICENSE", "README.md", "pyproject.toml", "setup.cfg", "trio_argoagent"}
    assert all((ROOT / each).exists() for each in let_in)
