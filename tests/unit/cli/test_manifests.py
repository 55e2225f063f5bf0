"""``trio-argoagent manifests``: plain YAML, or one line."""

from __future__ import annotations

import pytest

from trio_argoagent.model import yamltext

from .conftest import Run


def test_what_is_printed(run: Run) -> None:
    """An installation with its settings, image and namespace."""
    said = run(
        "manifests", "agent-managed", "--set=agent.server.address=hub", "--set=agent.log.level=debug",
        "-n", "cd", "--image=r/x:2", "--with=namespace-creation",
    )  # fmt: skip
    assert (said.code, said.err) == (0, "")
    found = {each["kind"]: each for each in yamltext.load(said.out.encode())}
    assert found["ConfigMap"]["data"] == {
        "agent.namespace": "cd",
        "agent.server.address": "hub",
        "agent.server.port": "443",
        "agent.mode": "managed",
        "agent.create-namespace": "true",
        "agent.log.level": "debug",
    }
    assert found["Deployment"]["metadata"]["namespace"] == "cd"
    assert found["Deployment"]["spec"]["template"]["spec"]["containers"][0]["image"] == "r/x:2"
    assert found["ClusterRoleBinding"]["subjects"][0]["namespace"] == "cd"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("--set=agent.server.adress=x", "argocd-agent-params has no agent.server.adress; did you mean"),
        ("--set=x=y", "argocd-agent-params has no x; see"),
        ("--set=agent.mode", "agent.mode is no KEY=VALUE"),
        ("--namespace=A_b", "A_b is no name of a namespace"),
        ("--with=x", "'x' is not one of"),
    ],
)
def test_mistakes(run: Run, given: str, says: str) -> None:
    """Nothing is printed but what is wrong."""
    assert says in run("manifests", "agent-managed", given).line


def test_which_there_are(run: Run) -> None:
    """The line names them."""
    assert "'principal', 'agent-managed', 'agent-autonomous'" in run("manifests", "x").line
