"""An agent's options for its certificate; and the whole way from a token to a link, as the program goes."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest
import trio

from trio_argoagent.apiserver.crds import argocd_server
from trio_argoagent.apiserver.local import LocalCluster
from trio_argoagent.cli.agent_settings import bootstrap_of
from trio_argoagent.cli.bootstrap_options import Bootstrap
from trio_argoagent.cli.enrolling import enrolled, make_store, read_token
from trio_argoagent.cli.link_tls import agent_link_tls
from trio_argoagent.cli.link_tls_options import AgentTls
from trio_argoagent.cli.tls_sources import Place
from trio_argoagent.errors import UserError
from trio_argoagent.model.resources import NAMESPACES
from trio_argoagent.pki import tokens
from trio_argoagent.runtime.events import Event
from trio_argoagent.runtime.material import open_material
from trio_argoagent.runtime.options.programs import AGENT
from trio_argoagent.stream.dial import Http2Dialer

from ..agent.issuing import ENV, LOOPBACK, open_issuer
from .parsing import reading_of, values_of

TIMEOUT = 60.0
USUAL = AgentTls("argocd-agent-client-tls", "", "", "argocd-agent-ca", "", False)
TOKEN = tokens.make(bytes(range(40)), "ab" * 32)


async def make_spoke() -> Place:
    """A spoke without anything."""
    cluster = LocalCluster(argocd_server(entropy=ENV.entropy), env=ENV, actor="agent")
    head = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}}
    await cluster.create(NAMESPACES, head)
    return Place(cluster, "argocd")


@pytest.mark.parametrize("where", ["secrets", "files"])
async def test_from_a_token_to_a_link(where: str, tmp_path: Path) -> None:
    """Nobody has carried a key anywhere; a restart with the same settings needs the token no more."""
    tls = USUAL
    if where == "files":
        paths = {name: str(tmp_path / name) for name in ("tls_client_cert", "tls_client_key", "root_ca_path")}
        tls = attrs.evolve(tls, **paths)
    place, told = await make_spoke(), list[Event]()
    async with open_issuer() as issuer:
        bootstrap = Bootstrap((await issuer.token()).text)
        for _ in range(2):
            with trio.fail_after(TIMEOUT):
                await enrolled(bootstrap, tls, place, issuer.office(), ENV, told.append)
                async with open_material(ENV, told.append) as material:
                    link = await agent_link_tls(tls, place, material, ENV, "h2", told.append)
                    async with Http2Dialer(LOOPBACK, issuer.port, link.context).dial() as dialled:
                        assert await dialled.receive() == ()
    assert issuer.names == ["east", "east"]
    assert [event.name for event in told] == ["enrolled", "token-ignored"]


async def test_what_contradicts() -> None:
    """One line, before anything is asked of anybody."""
    place, told = await make_spoke(), list[Event]()
    async with open_issuer() as issuer:
        for bootstrap, tls, said in (
            (Bootstrap(TOKEN.text, "file"), USUAL, "give one of the two"),
            (Bootstrap("nonsense"), USUAL, "--bootstrap-token: this is no bootstrap token"),
            (Bootstrap(TOKEN.text), attrs.evolve(USUAL, insecure_tls=True), "--insecure-tls: leave it out"),
            (Bootstrap(TOKEN.text), attrs.evolve(USUAL, tls_client_key="k"), "give both or neither"),
        ):
            with pytest.raises(UserError, match=said):
                await enrolled(bootstrap, tls, place, issuer.office(), ENV, told.append)
    assert told == [] and issuer.rulings == []


def test_a_token_in_a_file(tmp_path: Path) -> None:
    """With a newline, as editors leave it; one that was tidied away is none."""
    told: list[Event] = []
    path = tmp_path / "token"
    assert read_token(Bootstrap(), told.append) is None and told == []
    assert read_token(Bootstrap(token_file=str(path)), told.append) is None
    assert [event.name for event in told] == ["token-ignored"]
    path.write_text(TOKEN.text + "\n")
    assert read_token(Bootstrap(token_file=str(path)), told.append) == TOKEN
    path.write_text("hunter2")
    with pytest.raises(UserError, match="--bootstrap-token-file: this is no bootstrap token") as caught:
        read_token(Bootstrap(token_file=str(path)), told.append)
    assert "hunter2" not in str(caught.value)
    with pytest.raises(UserError, match=r"cannot read .*: Is a directory"):
        read_token(Bootstrap(token_file=str(tmp_path)), told.append)


async def test_where_it_is_kept() -> None:
    """Secrets by the names that the options say."""
    place = await make_spoke()
    store = make_store(attrs.evolve(USUAL, tls_secret_name="mine", root_ca_secret_name="roots"), place)
    names = [getattr(drawer, "name", "") for drawer in (store.identity, store.trust)]
    assert names == ["mine", "roots"]


def test_the_options() -> None:
    """The token may come from the environment, where others do not see it; it is never shown."""
    values = values_of(AGENT, "--no-renew", ARGOCD_AGENT_BOOTSTRAP_TOKEN=TOKEN.text)
    assert bootstrap_of(values) == Bootstrap(TOKEN.text, "", False)
    assert TOKEN.secret not in repr(bootstrap_of(values))
    reading = reading_of(AGENT, "--bootstrap-token", TOKEN.text)
    assert TOKEN.secret not in repr(reading)
    assert bootstrap_of(values_of(AGENT, "--bootstrap-token-file", "f")) == Bootstrap("", "f", True)
