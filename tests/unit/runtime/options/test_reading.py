"""What of flags and variables counts, what is remarked on, and what is refused."""

from __future__ import annotations

import pytest

from trio_argoagent.runtime.options.kinds import PORT, SWITCH
from trio_argoagent.runtime.options.programs import AGENT, PRINCIPAL
from trio_argoagent.runtime.options.reading import Origin, read
from trio_argoagent.runtime.options.rows import Option, Part, Program

HUB = {"ARGOCD_AGENT_REMOTE_SERVER": "hub"}
SMALL = Program(
    "agent",
    "ARGOCD_AGENT",
    (
        Part(
            "All",
            (
                Option("--metrics-port", "METRICS_PORT", "", PORT, "8181", "A port."),
                Option("--renew", "RENEW", "", SWITCH, "true", "A switch.", also=("RENEW",)),
                Option("--old", "OLD", "", PORT, None, "Without effect.", unused="it is for others"),
            ),
        ),
    ),
)


@pytest.mark.parametrize(
    ("typed", "environ", "value", "origin", "where"),
    [
        ({}, {}, True, Origin.DEFAULT, ""),
        ({}, {"ARGOCD_AGENT_RENEW": ""}, True, Origin.DEFAULT, ""),
        ({}, {"RENEW": "F"}, False, Origin.VARIABLE, "RENEW"),
        ({}, {"RENEW": "F", "ARGOCD_AGENT_RENEW": "1"}, True, Origin.VARIABLE, "ARGOCD_AGENT_RENEW"),
        ({"renew": "no"}, {"ARGOCD_AGENT_RENEW": "1"}, False, Origin.FLAG, "--renew"),
        ({"renew": "no"}, {"ARGOCD_AGENT_RENEW": "nonsense"}, False, Origin.FLAG, "--renew"),
    ],
)
def test_what_counts(
    typed: dict[str, str], environ: dict[str, str], value: bool, origin: Origin, where: str
) -> None:
    """A flag, then the program's own variable, then the one that is shared, then the default."""
    reading = read(SMALL, typed, environ)
    (found,) = (each for each in reading.settings if each.option.name == "renew")
    assert (reading.mistakes, found.value, found.origin, found.where) == ((), value, origin, where)


@pytest.mark.parametrize("link", ["tcp://10.0.0.1:8181", "udp://[fd00::1]:53"])
def test_a_port_of_kubernetes(link: str) -> None:
    """A Service argocd-agent-metrics must not end the start, and its port is not ours; a flag is judged."""
    environ = {"ARGOCD_AGENT_METRICS_PORT": link}
    reading = read(SMALL, {}, environ)
    assert (reading.mistakes, reading.values["metrics_port"]) == ((), 8181)
    assert reading.remarks == (
        f"ARGOCD_AGENT_METRICS_PORT={link} is Kubernetes' for a Service, and no port of this program",
    )
    assert read(SMALL, {"metrics_port": link}, {}).mistakes == (
        f"--metrics-port: {link!r} is not a valid integer",
    )


def test_what_kubernetes_says_of_our_services() -> None:
    """As it does in the namespace of an installation: nothing of it is taken for a mistake."""
    environ: dict[str, str] = {}
    for service in (
        "ARGOCD_AGENT_PRINCIPAL",
        "ARGOCD_AGENT_REDIS_PROXY",
        "ARGOCD_PRINCIPAL_METRICS",
        "REDIS",
    ):
        environ |= {
            f"{service}_SERVICE_HOST": "10.0.0.1",
            f"{service}_SERVICE_PORT": "443",
            f"{service}_SERVICE_PORT_AGENTS": "443",
            f"{service}_PORT": "tcp://10.0.0.1:443",
            f"{service}_PORT_443_TCP": "tcp://10.0.0.1:443",
            f"{service}_PORT_443_TCP_PROTO": "tcp",
            f"{service}_PORT_443_TCP_PORT": "443",
            f"{service}_PORT_443_TCP_ADDR": "10.0.0.1",
        }
    for program in (PRINCIPAL, AGENT):
        reading = read(program, {}, environ | HUB)
        assert reading.mistakes == ()
        assert [each for each in reading.remarks if "Kubernetes'" not in each] == []


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("ARGOCD_AGENT_REMOTE_PRT", "ARGOCD_AGENT_REMOTE_PORT"),
        ("ARGOCD_AGENT_SERVER_ADDRES", ""),
        ("ARGOCD_AGENT_TLS_ROOT_CA_SECRETNAME", "ARGOCD_AGENT_TLS_ROOT_CA_SECRET_NAME"),
        ("ARGOCD_AGENT_PRINCIPAL_NAMESPACE", ""),
        ("ARGOCD_PRINCIPAL_NAMESPACES", ""),
        ("argocd_agent_modes", ""),
    ],
)
def test_a_variable_that_looks_like_another_one(name: str, meant: str) -> None:
    """It is named with the one that is meant; what looks like none is nobody's business."""
    reading = read(AGENT, {}, HUB | {name: "x"})
    assert reading.mistakes == ()
    assert reading.remarks == ((f"{name} is no option: did you mean {meant}?",) if meant else ())


def test_what_does_nothing() -> None:
    """One remark by the name that was written; a value of it cannot be wrong."""
    for typed, environ, where in (
        ({"old": "x"}, {}, "--old"),
        ({}, {"ARGOCD_AGENT_OLD": "x"}, "ARGOCD_AGENT_OLD"),
    ):
        reading = read(SMALL, typed, environ)
        assert (reading.mistakes, reading.remarks) == ((), (f"{where} has no effect: it is for others",))


@pytest.mark.parametrize("text", ["true", "1"])
def test_a_second_principal(text: str) -> None:
    """Whoever asks for high availability must not believe that he has it."""
    (mistake,) = read(PRINCIPAL, {}, {"ARGOCD_PRINCIPAL_HA_ENABLED": text}).mistakes
    assert mistake.startswith(
        "--ha-enabled (ARGOCD_PRINCIPAL_HA_ENABLED): there is one principal, and no other"
    )
    assert read(PRINCIPAL, {"ha_enabled": "false"}, {}).mistakes == ()
