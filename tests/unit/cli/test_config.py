"""``config show`` and ``config check``: what a program would run with, and all that is wrong with it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from trio_argoagent.cli.manifests import built

from .conftest import Run

HUB = "--server-address=hub"


def config_map(folder: Path, *lines: str, name: str = "argocd-agent-params") -> str:
    """A manifest with these lines of data, and another object beside it."""
    path = folder / "params.yaml"
    data = "\n".join(f"  {line}" for line in lines)
    path.write_text(
        "apiVersion: v1\nkind: Secret\nmetadata: {name: other}\n---\n"
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata:\n{data}\n"
    )
    return f"--config-map={path}"


def shown(run: Run, *arguments: str) -> dict[str, dict[str, Any]]:
    """The document that ``show`` prints, by option."""
    said = run("config", "show", *arguments, "-o", "json")
    assert (said.code, said.err) == (0, "")
    return {each["option"]: each for each in json.loads(said.out)}


def test_where_a_value_comes_from(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flag, a variable by its name, or the default."""
    monkeypatch.setenv("ARGOCD_AGENT_REMOTE_PORT", "8443")
    monkeypatch.setenv("ARGOCD_AGENT_MODE", "managed")
    found = shown(run, "agent", HUB, "--agent-mode=autonomous")
    of = {name: (found[name]["value"], found[name]["origin"], found[name]["where"]) for name in found}
    assert of["--server-address"] == ("hub", "flag", "--server-address")
    assert of["--server-port"] == ("8443", "variable", "ARGOCD_AGENT_REMOTE_PORT")
    assert of["--agent-mode"] == ("autonomous", "flag", "--agent-mode")
    assert of["--namespace"] == ("argocd", "default", "")
    assert "--grpc-max-message-size" not in of, "what has no effect is shown where it is set"
    assert "--grpc-max-message-size" in shown_with_remark(run, "agent", HUB, "--grpc-max-message-size=1")


def shown_with_remark(run: Run, *arguments: str) -> str:
    """What is printed, where there is a remark."""
    said = run("config", "show", *arguments)
    assert said.code == 0 and said.err.startswith("warning: ")
    return said.out


def test_a_table_for_people(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line an option; what a default means where it is nothing."""
    monkeypatch.setenv("REDIS_USERNAME", "reader")
    said = run("config", "show", "principal", "--redis-server-address=")
    rows = [line.split(maxsplit=1) for line in said.out.splitlines()]
    cells = {name: rest.split() for name, rest in rows}
    assert cells["OPTION"] == ["VALUE", "FROM"]
    assert cells["--redis-username"] == ["reader", "REDIS_USERNAME"]
    assert cells["--redis-server-address"] == ['""', "flag"]
    assert cells["--max-deletions"] == ["any", "number", "default"]


@pytest.mark.parametrize("output", ["text", "json", "yaml"])
def test_secrets_are_not_shown(run: Run, monkeypatch: pytest.MonkeyPatch, output: str) -> None:
    """Nor in a mistake beside them."""
    monkeypatch.setenv("REDIS_PASSWORD", "hunter2")
    tokens = (
        "--bootstrap-token=hunter2",
        "--creds=header:x:hunter2",
        "--insecure-plaintext",
        "--server-port=x",
    )
    said = run("config", "show", "agent", HUB, *tokens, "-o", output)
    assert said.code == 2 and said.err.startswith("error: --server-port: ")
    assert "hunter2" not in said.out + said.err
    assert said.out.count("(hidden)") == 3


def test_all_that_is_wrong(run: Run) -> None:
    """First what each says by itself, then what they say together; nothing is connected to."""
    said = run("config", "check", "agent", "--loud", "--server-port=0", "--create-namespace")
    assert said.code == 2 and said.out == ""
    starts = ["--loud", "--server-address or ARGOCD_AGENT_REMOTE_SERVER", "--server-port"]
    assert [line.split(": ")[1] for line in said.err.splitlines()] == starts
    said = run(
        "config", "check", "principal", "--namespace-create-labels=a=1", "--tls-cert=x", "--plaintext-from=a",
        "--redis-tls-enabled", "--redis-tls-insecure", "--redis-ca-path=x", "--resource-proxy-key-path=y",
    )  # fmt: skip
    assert said.code == 2
    assert [line.split(": ")[1] for line in said.err.splitlines()] == [
        "--namespace-create-pattern and -labels",
        "--plaintext-from",
        "--tls-cert and --tls-key",
        "--redis-ca-path and --redis-tls-insecure",
        "--resource-proxy-cert-path and --resource-proxy-key-path",
    ]
    said = run("config", "check", "agent", HUB, "--bootstrap-token=a", "--bootstrap-token-file=b")
    assert said.err == "error: --bootstrap-token and --bootstrap-token-file: give one of the two\n"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--bootstrap-token=hunter2"], "--bootstrap-token: this is no bootstrap token: it has three parts"),
        (
            ["--bootstrap-token-file=x", "--insecure-tls"],
            "--insecure-tls: leave it out: a bootstrap token says",
        ),
        (
            ["--pprof-port=8181", "--metrics-port=8181"],
            "--pprof-port: is --metrics-port, too, which others may reach",
        ),
        (["--otlp-insecure"], "--otlp-insecure: has no effect without --otlp-address: give that, too"),
        (["--otlp-address=:::"], "--otlp-address: ':::' is not an address: write host:port"),
        (
            ["--otlp-address=http://x:4317"],
            "--otlp-address: 'http://x:4317' is not an address: write host:port",
        ),
        (["--otlp-address=x"], "--otlp-address: 'x' has no port"),
        (
            ["--allowed-namespaces=x"],
            "--allowed-namespaces: has no effect without --destination-based-mapping",
        ),
    ],
)
def test_what_the_program_would_refuse_later(run: Run, options: list[str], told: str) -> None:
    """It is told here, too; a secret is not repeated."""
    line = run("config", "check", "agent", HUB, *options).line
    assert line.startswith(told) and "hunter2" not in line


def test_what_is_left_over(run: Run, tmp_path: Path) -> None:
    """Beside a switch that was written to be off: a remark, as argocd-agent's ConfigMap has it all."""
    lines = ('agent.destination-based-mapping: "false"', "agent.allowed-namespaces: x")
    said = run("config", "check", "agent", HUB, config_map(tmp_path, *lines))
    text = "agent.allowed-namespaces has no effect: it needs --destination-based-mapping"
    assert (said.code, said.err) == (0, f"warning: {text}\n")
    empty = (
        'agent.allowed-namespaces: ""',
        'agent.redis.tls.insecure: "false"',
        'agent.otlp.insecure: "false"',
    )
    assert run("config", "check", "agent", HUB, config_map(tmp_path, *empty)).err == ""


def test_nothing_is_wrong(run: Run) -> None:
    """Files need not be there: that is seen where the program runs."""
    said = run("config", "check", "agent", HUB, "--root-ca-path=/missing", "--redis-creds-dir-path=/missing")
    assert (said.code, said.err) == (0, "")
    assert re.fullmatch(r"agent: \d+ options are set, and can be used together\n", said.out)


def test_a_config_map(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its keys count, this environment does not; flags go before."""
    monkeypatch.setenv("ARGOCD_AGENT_REMOTE_PORT", "1")
    monkeypatch.setenv("ARGOCD_AGENT_NAMESPACE", "mine")
    lines = ("agent.server.address: hub", 'agent.server.port: "8443"', "principal.auth: nonsense")
    found = shown(run, "agent", config_map(tmp_path, *lines), "--agent-mode=managed")
    assert (found["--server-port"]["value"], found["--server-port"]["where"]) == ("8443", "agent.server.port")
    assert (found["--namespace"]["value"], found["--agent-mode"]["origin"]) == ("argocd", "flag")


def test_a_config_map_with_mistakes(run: Run, tmp_path: Path) -> None:
    """Values that an API server would not take, keys that there are not, and what they mean."""
    lines = (
        "agent.server.addres: hub",
        "agent.server.port: 8443",
        "agent.mode: manged",
        "metrics: x",
        "agent: x",
    )
    said = run("config", "check", "agent", config_map(tmp_path, *lines))
    assert said.code == 2
    assert said.err.splitlines() == [
        "error: agent.server.port: put the value in quotes: a ConfigMap holds texts only",
        "error: agent: there is no such key; did you mean agent.mode?",
        "error: agent.server.addres: there is no such key; did you mean agent.server.address?",
        "error: metrics: there is no such key",
        "error: --server-address or ARGOCD_AGENT_REMOTE_SERVER: say where the principal is",
        "error: --agent-mode (agent.mode): 'manged' is not one of 'managed', 'autonomous'",
    ]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("kind: Secret", "there must be one ConfigMap argocd-agent-params, not 0"),
        ("kind: ConfigMap\n---\nkind: ConfigMap", "there must be one ConfigMap argocd-agent-params, not 2"),
        ("kind: [", "--config-map: "),
    ],
)
def test_no_config_map(run: Run, tmp_path: Path, text: str, hint: str) -> None:
    """One line."""
    path = tmp_path / "params.yaml"
    path.write_text(text)
    assert hint in run("config", "check", "agent", f"--config-map={path}").line
    missing = tmp_path / "missing"
    assert run("config", "check", "agent", f"--config-map={missing}").line == (
        f"--config-map: cannot read {missing}: No such file or directory"
    )


@pytest.mark.parametrize("program", ["principal", "agent"])
def test_what_is_shipped(run: Run, tmp_path: Path, program: str) -> None:
    """The ConfigMap of the manifests lacks nothing but where the principal is."""
    (data,) = (
        each["data"]
        for each in built(program if program == "principal" else "agent-managed")
        if each["kind"] == "ConfigMap"
    )
    lines = [f"{key}: {json.dumps(value)}" for key, value in data.items() if key != "agent.server.address"]
    flags = [HUB] if program == "agent" else []
    said = run("config", "check", program, config_map(tmp_path, *lines), *flags)
    assert (said.code, said.err) == (0, "")
