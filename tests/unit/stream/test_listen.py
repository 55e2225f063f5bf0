"""The principal's side of links."""

from contextlib import suppress

import pytest
import trio

from trio_argoagent.errors import LinkBroken, RemoteProtocolError, TunnelRefused
from trio_argoagent.net.client import open_client
from trio_argoagent.ports.transport import Link
from trio_argoagent.stream.dial import Http2Dialer
from trio_argoagent.stream.link import LINK_PATH, TUNNEL_PATH, Http2Link

from .loopback import agent_tls, client_pem, open_hub, principal_tls


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", LINK_PATH, 404), ("POST", "/", 404), ("POST", "/v1/link/x", 404), ("POST", "/v2/link", 404)],
)
async def test_there_is_nothing_else(method: str, path: str, status: int) -> None:
    """Only POST /v1/link leads anywhere."""
    async with open_hub() as hub:
        async with open_client(host="127.0.0.1", port=hub.port, context=agent_tls()) as client:
            assert (await client.request(method, path)).status == status


async def test_a_link_needs_http2() -> None:
    """HTTP/1.1 is told so: a proxy that breaks HTTP/2 down shows in the agent's log."""
    async with open_hub(context=principal_tls(alpn=("http/1.1",))) as hub:
        context = agent_tls()
        context.set_alpn_protocols(["http/1.1"])
        stream = await trio.open_ssl_over_tcp_stream("127.0.0.1", hub.port, ssl_context=context)
        async with stream:
            request = (
                f"POST {LINK_PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            )
            await stream.send_all(request.encode())
            answer = b""
            while b"\r\n\r\n" not in answer or b"HTTP/2" not in answer:
                piece = await stream.receive_some(4096)
                assert piece, answer
                answer += piece
    assert answer.startswith(b"HTTP/1.1 505")


async def test_many_agents_at_once() -> None:
    """Each link is served in a task of its own."""
    everybody = trio.Event()
    names: list[str] = []

    async def meet(link: Link) -> None:
        names.append(link.peer.name)
        if len(names) == 5:
            everybody.set()
        await everybody.wait()

    async with open_hub(meet) as hub:

        async def agent(name: str) -> None:
            async with hub.dialer(agent_tls(client_pem(agent=name))).dial() as link:
                assert await link.receive() == ()

        async with trio.open_nursery() as nursery:
            for number in range(5):
                nursery.start_soon(agent, f"a{number}")
    assert sorted(names) == ["a0", "a1", "a2", "a3", "a4"]
    assert hub.errors == []


async def test_stopping_the_listener_breaks_its_links() -> None:
    """An agent learns at once that the principal has gone."""
    async with trio.open_nursery() as nursery:
        up, stop = trio.Event(), trio.Event()
        ports: list[int] = []

        async def idle(link: Link) -> None:
            await link.receive()

        async def principal() -> None:
            async with open_hub(idle) as hub:
                ports.append(hub.port)
                up.set()
                await stop.wait()

        nursery.start_soon(principal)
        await up.wait()
        with pytest.raises(LinkBroken):
            async with Http2Dialer("127.0.0.1", ports[0], agent_tls()).dial() as link:
                stop.set()
                await link.receive()


async def test_the_peers_error_is_reported_as_such() -> None:
    """What an agent did wrong ends its link and reaches on_error with its own class."""

    async def read(link: Link) -> None:
        await link.receive()

    async with open_hub(read) as hub:
        async with hub.dialer().dial() as link:
            assert isinstance(link, Http2Link)
            link._carrier.send_nowait(b"\xff\xff\xff\xff")
            with pytest.raises(LinkBroken):
                await link.receive()
        assert [type(error) for error in hub.errors] == [RemoteProtocolError]


async def test_a_connection_has_one_link() -> None:
    """A second one on the same connection is refused; the first goes on."""
    async with open_hub() as hub, hub.dialer().dial() as link:
        assert isinstance(link, Http2Link)
        connection = link._connection
        second = await connection.open_stream("POST", LINK_PATH)
        assert (await second.response())[0] == 409
        link.send_nowait(b"still here")
        assert await link.receive() == [b"still here"]


async def test_tunnels_need_a_link() -> None:
    """On a connection without one nothing is awaited, and the answer is that of any other path."""
    async with open_hub() as hub:
        async with open_client(host="127.0.0.1", port=hub.port, context=agent_tls()) as client:
            paths = (f"{TUNNEL_PATH}{0:032x}", TUNNEL_PATH, "/", "/v1/x")
            answers = [await client.request("POST", path) for path in paths]
            assert {(answer.status, answer.body) for answer in answers} == {(404, b"there is nothing here")}
            assert (await client.request("GET", f"{TUNNEL_PATH}{0:032x}")).status == 404


async def test_who_guesses_ids_is_told_to_calm_down() -> None:
    """The connection ends with the error code that says so, and the principal's log names the fault."""
    async with open_hub() as hub, hub.dialer().dial() as link:
        with pytest.raises(LinkBroken, match="ENHANCE_YOUR_CALM"):
            for number in range(1000):
                with suppress(TunnelRefused):
                    await link.open_tunnel(f"{number:032x}")
        assert [error for error in hub.errors if "tunnels that nobody has asked for" in str(error)]
