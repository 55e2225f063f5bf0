"""The command line itself: help, version, and options that cannot be understood."""

from __future__ import annotations

import re

import click
import pytest

from trio_argoagent._version import __version__
from trio_argoagent.cli.commands import cli
from trio_argoagent.runtime.options.programs import AGENT

from .conftest import Files, Run


def test_version(run: Run) -> None:
    """Name and number, and nothing else."""
    said = run("--version")
    assert (said.code, said.out, said.err) == (0, f"trio-argoagent {__version__}\n", "")


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",)])
def test_help_names_the_commands(run: Run, arguments: tuple[str, ...]) -> None:
    """Without a command, too, each command has its line, and none is cut short."""
    said = run(*arguments)
    assert said.code == 0
    for name in cli.commands:
        assert re.search(rf"^  {name} +[A-Z].*[a-z]\.$", said.out, re.MULTILINE)


@pytest.mark.parametrize("command", sorted(cli.commands))
def test_help_tells_each_option(run: Run, command: str) -> None:
    """Each option of each command has a text of its own."""
    said = run(command, "--help")
    assert said.code == 0
    assert said.err == ""
    for parameter in cli.commands[command].params:
        # The command's own text says what its arguments are; what has no effect here is in the reference.
        if isinstance(parameter, click.Option) and not parameter.hidden:
            assert parameter.help, parameter.name
            assert parameter.opts[0] in said.out
    assert "TEXT" not in said.out, "a metavar says more"


@pytest.mark.parametrize("words", ["ctl", "ctl fleet", "ctl deletes", "conformance"])
def test_a_group_of_which_no_command_is_named(run: Run, words: str) -> None:
    """Its help, as it is written: on several lines, and with exit code 2, for nothing was done."""
    said = run(*words.split())
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"Usage: trio-argoagent {words} [OPTIONS] COMMAND")
    assert "\nCommands:\n" in said.err


@pytest.mark.parametrize(
    ("arguments", "hints"),
    [
        (["conquer"], ["No such command 'conquer'", "trio-argoagent --help"]),
        (["demo", "--loud"], ["--loud", "trio-argoagent demo --help"]),
        (["demo", "--agents", "0"], ["--agents", "0 is not in the range 1<=x<=50"]),
        (["demo", "--duration", "soon"], ["--duration", "'soon' is not a valid float"]),
        (["demo", "more"], ["unexpected extra argument", "more"]),
        (["principal", "--loud"], ["--loud", "trio-argoagent principal --help"]),
        (["principal", "--tls-max-version", "tls1"], ["--tls-max-version", "'tls1' is not one of 'tls1.2'"]),
        (["agent"], ["--server-address or ARGOCD_AGENT_REMOTE_SERVER", "trio-argoagent agent --help"]),
    ],
)
def test_an_option_that_cannot_be_understood(run: Run, arguments: list[str], hints: list[str]) -> None:
    """One line that names it and where help is."""
    line = run(*arguments).line
    assert all(hint in line for hint in hints), line
    assert "--help" in line


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("ctl blo", "blocklist"),
        ("ctl agent pri", "print-tls"),
        ("agent --log-format j", "json"),
        ("principal --enable-resource-proxy f", "false"),
        ("config check agent --adoption-policy n", "never"),
    ],
)
def test_shells_complete(run: Run, monkeypatch: pytest.MonkeyPatch, words: str, found: str) -> None:
    """As README says."""
    monkeypatch.setenv("_TRIO_ARGOAGENT_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", f"trio-argoagent {words}")
    monkeypatch.setenv("COMP_CWORD", str(len(words.split())))
    assert run().out == f"plain,{found}\n"


@pytest.mark.parametrize("port", ["x", "-1", "65536"])
def test_bad_ports(run: Run, files: Files, port: str) -> None:
    """Both programs refuse what is no port."""
    assert "--listen-port: " in run(*files.principal(listen_port=port)).line
    assert "--server-port: " in run(*files.agent(server_port=port)).line


def test_a_mode_that_does_not_exist(run: Run, files: Files) -> None:
    """The line names the modes that do."""
    line = run(*files.agent(agent_mode="manged")).line
    assert "'managed', 'autonomous'" in line


def test_options_from_the_environment(run: Run, files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """argocd-agent's variables set the same options, and are refused as clearly."""
    monkeypatch.setenv("ARGOCD_PRINCIPAL_LISTEN_PORT", "eighty")
    good = [option for option in files.principal() if not option.startswith("--listen-port")]
    line = run(*good).line
    assert line.startswith("--listen-port (ARGOCD_PRINCIPAL_LISTEN_PORT): 'eighty' is not a valid integer")


def test_all_mistakes_are_told_at_once(run: Run) -> None:
    """A line each, in the order of the help."""
    said = run("agent", "--server-port=0", "--loud", "3", "--quiet=1", "--agent-mode=manged", "--no-renew")
    assert (said.code, said.out) == (2, "")
    hints = ["--loud", "--quiet", "--server-address", "--server-port", "--agent-mode"]
    for line, hint in zip(said.err.splitlines(), hints, strict=True):
        assert line.startswith("error: ") and hint in line and "--help" in line
    said = run("agent", "--renew", "--no-renew", "--loud", "--server-address=hub")
    assert [line.split(";")[0] for line in said.err.splitlines()] == [
        "error: --loud: there is no such option",
        "error: --renew and --no-renew: give one of the two",
    ]


def test_help_has_parts(run: Run) -> None:
    """As the reference has; an option is in the part of its row, and the command's own are the last."""
    said = run("config", "show", "agent", "--help").out
    titles = re.findall(r"^(\S.*):$", said, re.MULTILINE)
    assert titles == [part.title for part in AGENT.parts if not all(each.unused for each in part.options)] + [
        "Options"
    ]
    assert said.index("TLS of the link:") < said.index("--insecure-tls ") < said.index("Who the agent is:")
    assert said.index("Options:") < said.index("--config-map ")


@pytest.mark.parametrize("flag", ["--ha-enabled", "--ha-enabled=true"])
def test_a_second_principal_is_refused(run: Run, files: Files, flag: str) -> None:
    """Whoever asks for it must not believe that there is one; what else belongs to it does no harm."""
    line = run(*files.principal(), flag, "--ha-peer-address=other:8404").line
    assert line.startswith("--ha-enabled: there is one principal, and no other would take over: leave it out")


def test_all_contradictions_are_told_at_once(run: Run) -> None:
    """Once what each option says by itself is understood."""
    both = ("--otlp-insecure", "--tls-max-version=tls1.2", "--pprof-port=8181", "--metrics-port=8181")
    own = ("--create-namespace", "--tls-client-cert=x", "--redis-addr=http://x", "--bootstrap-token=x")
    said = run("agent", "--server-address=hub", *both, *own)
    hints = ["--otlp-insecure", "--create-namespace", "--bootstrap-token",
             "--tls-client-cert and --tls-client-key", "--tls-max-version tls1.2", "--redis-addr",
             "--pprof-port"]  # fmt: skip
    assert [line.split(": ")[1] for line in said.err.splitlines()] == hints
    said = run("principal", *both, "--insecure-tls-generate", "--tls-secret-name=x")
    assert [line.split(": ")[1] for line in said.err.splitlines()] == [
        "--otlp-insecure",
        "--insecure-tls-generate",
        "--tls-max-version tls1.2",
        "--pprof-port",
    ]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("-server-address x", ["-server-address: there is no such option; did you mean --server-address?"]),
        ("-server-address=x --loud", ["-server-address: there is no such option", "--loud: there is no"]),
        ("--max-inferred-deletion -1", ["--max-inferred-deletion: there is no such option; did you mean"]),
        ("--quiet -.5 --loud 3 -q", ["--quiet: there is", "--loud: there is", "-q: there is"]),
        ("--quiet --loud", ["--quiet: there is no", "--loud: there is no"]),
        ("a -nb c", ["a: belongs to no option", "c: belongs to no option"]),
        (
            "--loud v --server-port x --creds",
            ["--loud: there", "Option '--creds' requires an", "--server-port"],
        ),
        ("--creds=header:a:b hunter2", ["a word: belongs to no option"]),
        ("--creds= hunter2", ["a word: belongs to no option"]),
        ("--creds --creds --creds", ["Option '--creds' requires an argument"]),
        ("--no-renew=x --loud", ["Option '--no-renew' does not take a value", "--loud: there is no"]),
    ],
)
def test_what_a_line_holds_besides(run: Run, words: str, told: list[str]) -> None:
    """A flag that there is not is told with its whole name, and its value is told no more."""
    for command in ("agent", "config check agent"):
        said = run(*command.split(), "--server-address=hub", *words.split())
        assert (said.code, said.out) == (2, "")
        for line, beginning in zip(said.err.splitlines(), told, strict=True):
            assert line.startswith(f"error: {beginning}")


def test_what_click_alone_understands(run: Run) -> None:
    """Its words come last, with the help of the right command."""
    said = run("config", "show", "agent", "--loud", "3", "-o", "xml")
    first, last = said.err.splitlines()
    assert (said.code, first) == (2, "error: --loud: there is no such option")
    assert "'xml'" in last and last.endswith("; see trio-argoagent config show agent --help")
