"""How ``ctl`` finds hub and spoke: who wins, before and after the command; ``ctl config``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import pytest

from trio_argoagent.cli import ctlconf
from trio_argoagent.cli.contexts import (
    Place,
    both_options,
    global_options,
    hub_options,
    needed,
    spoke_options,
)

from .conftest import Run

CONF = """
contexts:
  principals:
    hub: {kube-context: hub-context, namespace: gitops}
    other: {kube-context: other-context, namespace: argocd}
  agents:
    edge: {kube-context: edge-context, namespace: argo}
default-principal: hub
"""
found: dict[str, object] = {}


@click.group()
@global_options
def ctl() -> None:
    """As the real one."""


@ctl.group()
def agent() -> None:
    """A level between."""


@agent.command()
@both_options
def both(**places: object) -> None:
    """Both places."""
    found.clear()
    found.update(places)


@agent.command()
@spoke_options
def only(**places: object) -> None:
    """A spoke alone."""
    found.clear()
    found.update(places)


@agent.command()
@hub_options
@click.option("--agent", "mine")
def own(**given: object) -> None:
    """A hub alone, and an option of its own that is spelt as one of a spoke's."""
    found.clear()
    found.update(given)


def ask(arguments: Sequence[str]) -> dict[str, object]:
    """What the command is given."""
    ctl(arguments, standalone_mode=False)
    return dict(found)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home, and no environment of the user's."""
    for name in ("KUBECONFIG", "ARGOCD_PRINCIPAL_NAMESPACE"):
        monkeypatch.delenv(name, raising=False)
    for side in ("PRINCIPAL", "AGENT"):
        for what in ("CONTEXT", "NAMESPACE"):
            monkeypatch.delenv(f"ARGOCD_AGENT_{side}_{what}", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def conf(home: Path) -> Path:
    """The usual ctl.conf."""
    file = Path(ctlconf.USUAL).expanduser()
    file.parent.mkdir(parents=True)
    file.write_text(CONF)
    return file


def test_with_nothing_said(home: Path) -> None:
    """The hub is the kubeconfig's current context; a spoke is never guessed."""
    assert ask(["agent", "both"]) == {"hub": Place("", "", "argocd"), "spoke": None}
    with pytest.raises(click.UsageError, match="which spoke"):
        ask(["agent", "only"])
    with pytest.raises(click.UsageError, match="which spoke"), click.Context(ctl):
        needed(None)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (["--principal-context", "c", "-n", "x"], []),
        ([], ["--principal-context", "c", "--principal-namespace", "x"]),
        ([], ["--kubecontext", "c", "--namespace", "x"]),
        (["--kubecontext", "other", "--principal-namespace", "y"], ["--principal-context", "c", "-n", "x"]),
        (["--principal", "hub"], ["--principal-context", "c", "-n", "x"]),
    ],
)
def test_a_flag_stands_anywhere_and_the_nearer_counts(
    conf: Path, before: list[str], after: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under either name, whatever ctl.conf and the environment say."""
    monkeypatch.setenv("ARGOCD_AGENT_PRINCIPAL_CONTEXT", "from the environment")
    monkeypatch.setenv("ARGOCD_AGENT_PRINCIPAL_NAMESPACE", "environment")
    assert ask([*before, "agent", "both", *after])["hub"] == Place("", "c", "x")


def test_the_hub_of_ctl_conf(conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The default, unless something else is said; a namespace may be said alone."""
    assert ask(["agent", "both"])["hub"] == Place("", "hub-context", "gitops")
    assert ask(["agent", "both", "-n", "x"])["hub"] == Place("", "hub-context", "x")
    assert ask(["--principal", "other", "agent", "both"])["hub"] == Place("", "other-context", "argocd")
    assert ask(["agent", "both", "--kubeconfig", "f"])["hub"] == Place("f", "", "argocd")
    assert ask(["agent", "both", "--kubeconfig", "f", "--principal", "hub"])["hub"] == Place(
        "f", "hub-context", "gitops"
    )
    monkeypatch.setenv("ARGOCD_AGENT_PRINCIPAL_CONTEXT", "e")
    monkeypatch.setenv("KUBECONFIG", "k")
    assert ask(["agent", "both"])["hub"] == Place("k", "e", "argocd")
    assert ask(["agent", "both", "--principal", "other"])["hub"] == Place("k", "other-context", "argocd")


def test_the_spoke(conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By flags, by ctl.conf, by the environment; in the hub's kubeconfig or its own."""
    assert ask(["agent", "both", "--agent", "edge"])["spoke"] == Place("", "edge-context", "argo")
    assert ask(["--kubeconfig", "f", "agent", "both", "--agent-context", "c"])["spoke"] == Place("f", "c")
    assert ask(["agent", "both", "--agent-kubeconfig", "g"])["spoke"] == Place("g", "")
    assert ask(["--agent", "edge", "agent", "both", "--agent-namespace", "x"])["spoke"] == Place(
        "", "edge-context", "x"
    )
    with pytest.raises(
        click.ClickException, match=r"--agent mars: .*ctl.conf does not name it \(it names: edge\)"
    ):
        ask(["agent", "both", "--agent", "mars"])
    monkeypatch.setenv("ARGOCD_AGENT_AGENT_CONTEXT", "e")
    assert ask(["agent", "both"])["spoke"] == Place("", "e")


def test_a_spoke_alone(conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its kubeconfig is never the one of the environment, which is the hub's."""
    monkeypatch.setenv("KUBECONFIG", "hub")
    with pytest.raises(click.UsageError, match="which spoke"):
        ask(["agent", "only"])
    assert ask(["agent", "only", "--kubeconfig", "s", "--kubecontext", "c"])["spoke"] == Place("s", "c")
    assert ask(["agent", "only", "--agent", "edge"])["spoke"] == Place("", "edge-context", "argo")


def test_the_commands_that_there_are_take_them(run: Run, conf: Path) -> None:
    """The context that the default principal of ctl.conf names is looked for."""
    kubeconfig = conf.parent / "kubeconfig"
    kubeconfig.write_text("contexts: []")
    line = run("ctl", "--principal", "other", "agent", "list", "--kubeconfig", str(kubeconfig)).line
    assert "context 'other-context' of the kubeconfig" in line
    assert (
        "hub-context"
        in run("ctl", "deletes", "list", "--kubeconfig", str(kubeconfig), "--principal=hub").line
    )


def test_ctl_config(run: Run, home: Path) -> None:
    """Added, changed, listed, deleted; in a file of one's own or the usual one, before or after."""
    file = str(home / "deep" / "ctl.conf")
    entry = ("--context", "c", "--namespace", "argocd")
    added = run(
        "ctl", "--config", file, "config", "add", "principal", "--name", "hub", *entry, "--set-default"
    )
    assert added.out == f"added principal hub to {file}\n"
    assert run("ctl", "config", "add", "agent", "--name", "edge", *entry, "--config", file).code == 0
    assert (
        run("ctl", "config", "edit", "agent", "--name", "edge", "--context", "d", "--config", file).code == 0
    )
    assert run("ctl", "config", "list", "--config", file).out.splitlines() == [
        "COMPONENT  NAME  CONTEXT  NAMESPACE  DEFAULT",
        "principal  hub   c        argocd     yes",
        "agent      edge  d        argocd",
    ]
    assert "edge" not in run("ctl", "config", "list", "principal", "--config", file).out
    assert ctlconf.read(file) == ctlconf.Names(
        {"hub": ctlconf.Entry("c", "argocd")}, {"edge": ctlconf.Entry("d", "argocd")}, "hub"
    )
    assert run("ctl", "config", "delete", "agent", "--name", "edge", "--config", file).code == 0
    assert ctlconf.read(file).agents == {}
    assert run("ctl", "config", "add", "agent", "--name", "edge", *entry).code == 0
    assert list(ctlconf.read("").agents) == ["edge"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "agent", "--name=edge", "--context=c", "--namespace=argocd"), "agent edge is there already"),
        (("add", "agent", "--name=a b", "--context=c", "--namespace=argocd"), "a name is one word"),
        (("add", "agent", "--name=new", "--context=c", "--namespace=A B"), "cannot be a namespace"),
        (("add", "agent", "--name=new", "--context=", "--namespace=a"), "it has no kube-context"),
        (("edit", "agent", "--name=mars", "--context=c"), "names no agent mars"),
        (("delete", "principal", "--name=hub"), "hub is the default principal"),
        (("delete", "principal", "--name=mars"), "names no principal mars"),
    ],
)
def test_what_is_refused_changes_nothing(run: Run, conf: Path, arguments: tuple[str, ...], said: str) -> None:
    """One line, and the file is as it was."""
    assert said in run("ctl", "config", *arguments).line
    assert conf.read_text() == CONF


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "it must be a mapping"),
        ("contexts: [", "is no ctl.conf"),
        ("contexts: {agents: [edge]}", "agents must be a mapping"),
        ("contexts: [edge]", "contexts must be a mapping"),
        ("contexts: {principals: {hub: 3}}", "principals: hub must be a mapping"),
        ("default-principal: mars", "'mars' is none of the principals"),
    ],
)
def test_a_file_that_is_none(run: Run, conf: Path, text: str, said: str) -> None:
    """Said in one line by every command that would read it."""
    conf.write_text(text)
    assert said in run("ctl", "config", "list").line
    assert said in run("ctl", "agent", "list").line


def test_a_file_that_is_missing(run: Run, home: Path) -> None:
    """The usual one may be; one that is named may not."""
    assert run("ctl", "config", "list").out == "COMPONENT  NAME  CONTEXT  NAMESPACE  DEFAULT\n"
    assert "there is no" in run("ctl", "agent", "list", "--config", str(home / "none")).line


def test_a_file_that_cannot_be_looked_at(run: Run, home: Path) -> None:
    """The line names path and cause; of a home that nobody knows no folder is made."""
    entry = ("--name=hub", "--context=c", "--namespace=argocd")
    kubeconfig = home / "kubeconfig"
    kubeconfig.write_text("contexts: []")
    for path, hint in (("x" * 300, "File name too long"), ("~nobody-here/ctl.conf", "set HOME, or give")):
        assert hint in run("ctl", "config", "add", "principal", *entry, "--config", path).line
        create = ("--kubeconfig-path", str(kubeconfig), "--output-path", path)
        assert hint in run("ctl", "config", "create", *create).line
    assert not Path("~nobody-here").exists()


def test_create(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each context of the kubeconfig is asked about; a file that is there stays, unless told."""
    kubeconfig, output = home / "kubeconfig", home / "ctl.conf"
    kubeconfig.write_text("contexts: [{name: a}, {name: b}, {name: c}]")
    answers = iter(("principal", "hub", "argocd", "agent", "edge", "argo", "neither", "hub"))
    monkeypatch.setattr(click, "prompt", lambda *_, **__: next(answers))
    arguments = (
        "ctl",
        "config",
        "create",
        "--kubeconfig-path",
        str(kubeconfig),
        "--output-path",
        str(output),
    )
    assert run(*arguments).out == f"written: {output}\n"
    assert ctlconf.read(str(output)) == ctlconf.Names(
        {"hub": ctlconf.Entry("a", "argocd")}, {"edge": ctlconf.Entry("b", "argo")}, "hub"
    )
    assert "exists; to replace it: --force" in run(*arguments).line


def test_a_commands_own_option(home: Path) -> None:
    """It counts instead of one that the command would only put up with."""
    given = ask(["agent", "own", "--agent", "edge", "--agent-context", "x"])
    assert given["mine"] == "edge"
    assert isinstance(given["hub"], Place)
