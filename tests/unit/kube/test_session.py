"""Credentials and connections that are replaced while requests go on."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import attrs
import pytest
import trio
from trio.testing import MockClock

from trio_argoagent.errors import UserError
from trio_argoagent.kube.credentials import Credentials
from trio_argoagent.kube.protocol.requests import HttpRequest
from trio_argoagent.kube.session import EARLY, NO_ANSWER, REREAD, RETIRE, open_session
from trio_argoagent.net.errors import ConnectionBroken

from .httpfakes import FakeHttp, session_over

GET = HttpRequest("GET", "/api/v1/secrets")


class Source:
    """A place where credentials are read: each reading gives the next ones, the last for ever."""

    def __init__(self, *found: Credentials | UserError) -> None:
        self.found = list(found)
        self.reads = 0

    async def read(self) -> Credentials:
        """Read once."""
        await trio.lowlevel.checkpoint()
        self.reads += 1
        next_one = self.found[0] if len(self.found) == 1 else self.found.pop(0)
        if isinstance(next_one, UserError):
            raise next_one
        return attrs.evolve(next_one, reload=self.read)


def plain(token: str, **more: object) -> Credentials:
    """Credentials without TLS."""
    return Credentials("h", tls=False, token=token, **more)  # type: ignore[arg-type]


async def test_what_every_request_carries() -> None:
    """The token, who to act as, and the path of the gateway in front."""
    http = FakeHttp((200, {}))
    who = plain("t1", prefix="/k8s/clusters/c1", impersonate=(("impersonate-user", "bob"),))
    async with session_over(http, who) as session:
        await session.request(GET)
    asked = http.asked[0]
    assert asked.target == "/k8s/clusters/c1/api/v1/secrets"
    assert asked.headers["authorization"] == "Bearer t1"
    assert asked.headers["impersonate-user"] == "bob"


async def test_the_servers_clock() -> None:
    """As its last answer has it; one that says nothing changes nothing."""
    http = FakeHttp((200, {}), (200, {}), (200, {}))
    async with session_over(http, plain("t1")) as session:
        shown = []
        for headers in ((), (("date", "Thu, 01 Jan 2026 00:00:00 GMT"),), ()):
            http.headers = headers
            await session.request(GET)
            shown.append(session.date)
    assert shown == ["", *["Thu, 01 Jan 2026 00:00:00 GMT"] * 2]


async def test_a_refused_token_is_read_again_once() -> None:
    """401, another token, and the request succeeds; a second 401 is the answer."""
    source = Source(plain("new"))
    http = FakeHttp((401, {}), (200, {}), (401, {}))
    async with session_over(http, attrs.evolve(plain("old"), reload=source.read)) as session:
        assert (await session.request(GET)).status == 200
        assert (await session.request(GET)).status == 401
    tokens = [asked.headers["authorization"] for asked in http.asked]
    assert tokens == ["Bearer old", "Bearer new", "Bearer new"]


async def test_a_refused_stream_likewise() -> None:
    """A watch is opened again with the new token."""
    http = FakeHttp((401, {}), (200, b""))
    old = attrs.evolve(plain("old"), reload=Source(plain("new")).read)
    async with session_over(http, old) as session:
        async with session.stream(GET) as response:
            assert response.status == 200
    assert http.asked[1].headers["authorization"] == "Bearer new"


async def test_credentials_without_a_source() -> None:
    """401 then is the answer."""
    http = FakeHttp((401, {}))
    async with session_over(http, plain("old")) as session:
        assert (await session.request(GET)).status == 401


async def test_many_refusals_are_one_reading() -> None:
    """However many requests fail at once, a plugin runs once."""
    source = Source(plain("new"))
    http = FakeHttp(*[(401, {})] * 20, *[(200, {})] * 20)
    async with session_over(http, attrs.evolve(plain("old"), reload=source.read)) as session:
        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(session.request, GET)
    assert source.reads == 1
    assert len(http.asked) == 40


async def test_files_that_rotate_are_read_each_minute(autojump_clock: MockClock) -> None:
    """Before the old token is refused, and not for each request."""
    source = Source(plain("two", rotates=True))
    http = FakeHttp(*[(200, {})] * 9)
    async with session_over(http, attrs.evolve(plain("one", rotates=True), reload=source.read)) as session:
        await session.request(GET)
        assert source.reads == 0
        await trio.sleep(REREAD)
        await session.request(GET)
        await session.request(GET)
    assert source.reads == 1
    assert [asked.headers["authorization"] for asked in http.asked] == [
        "Bearer one",
        "Bearer two",
        "Bearer two",
    ]


async def test_a_minute_is_one_reading(autojump_clock: MockClock) -> None:
    """However many requests find that it is over, and though nothing has changed."""
    source = Source(plain("one", rotates=True))
    http = FakeHttp(*[(200, {})] * 20)
    async with session_over(http, attrs.evolve(plain("one", rotates=True), reload=source.read)) as session:
        await trio.sleep(REREAD)
        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(session.request, GET)
    assert source.reads == 1


async def test_credentials_that_say_when_they_end(autojump_clock: MockClock) -> None:
    """They are read again shortly before, also when that gave the same ones with less time left."""
    source = Source(plain("one", lifetime=600.0), plain("two", lifetime=3600.0))
    http = FakeHttp(*[(200, {})] * 9)
    async with session_over(http, attrs.evolve(plain("one", lifetime=1000.0), reload=source.read)) as session:
        for wait, token, reads in (
            (1000 - EARLY - 1, "one", 0),
            (1, "one", 1),
            (600 - EARLY - 1, "one", 1),
            (1, "two", 2),
            (3600 - EARLY - 1, "two", 2),
        ):
            await trio.sleep(wait)
            await session.request(GET)
            assert (http.asked[-1].headers["authorization"], source.reads) == (f"Bearer {token}", reads)


async def test_credentials_that_claim_to_have_ended(autojump_clock: MockClock) -> None:
    """Their clock, or ours, is wrong: they are used, and read again each minute, not for each request."""
    source = Source(plain("t", lifetime=-5000.0))
    http = FakeHttp(*[(200, {})] * 240)
    async with session_over(http, attrs.evolve(plain("t", lifetime=1.0), reload=source.read)) as session:
        for _ in range(240):
            await session.request(GET)
            await trio.sleep(1)
    assert source.reads == 239 // REREAD


async def test_a_source_that_fails_before_the_end(autojump_clock: MockClock) -> None:
    """It is asked again a minute later, not a lifetime later."""
    source = Source(UserError("down"), UserError("down"), plain("new", lifetime=3600.0))
    http = FakeHttp(*[(200, {})] * 9)
    async with session_over(http, attrs.evolve(plain("old", lifetime=1000.0), reload=source.read)) as session:
        await trio.sleep(1000 - EARLY)
        for reads, token in ((1, "old"), (2, "old"), (3, "new")):
            await session.request(GET)
            assert (source.reads, http.asked[-1].headers["authorization"]) == (reads, f"Bearer {token}")
            await trio.sleep(REREAD)


async def test_a_source_that_fails_leaves_what_we_have() -> None:
    """It may just be being replaced: the error is kept, the request's own answer stands."""
    http = FakeHttp((401, {}), (200, {}))
    old = attrs.evolve(plain("old"), reload=Source(UserError("half written")).read)
    async with session_over(http, old) as session:
        assert (await session.request(GET)).status == 401
        assert session.last_error == "half written"
        assert (await session.request(GET)).status == 200


async def test_another_identity_gets_another_connection(autojump_clock: MockClock) -> None:
    """New requests use it; the old connection is closed after a while, not under those who use it."""
    clients: list[FakeHttp] = []
    closed: list[float] = []

    @asynccontextmanager
    async def dial(credentials: Credentials, context: ssl.SSLContext | None) -> AsyncIterator[FakeHttp]:
        clients.append(FakeHttp((401, {}), (200, {})) if not clients else FakeHttp((200, {})))
        yield clients[-1]
        closed.append(trio.current_time())

    old = attrs.evolve(plain("t"), reload=Source(Credentials("other", tls=False, token="t")).read)
    async with open_session(old, dial) as session:
        assert (await session.request(GET)).status == 200
        assert [len(client.asked) for client in clients] == [1, 1]
        assert session.credentials.host == "other"
        began = trio.current_time()
        await trio.sleep(RETIRE + 1)
        assert [at - began for at in closed] == [RETIRE]


async def test_requests_are_counted_as_client_go_counts_them() -> None:
    """By method and status, streams included; what has no answer that is one has a code of its own."""
    broken = ConnectionBroken("gone", sent=False)
    http = FakeHttp((200, {}), (404, {}), broken, (999, {}), (200, b""), broken)
    post = HttpRequest("POST", "/api/v1/secrets")
    async with session_over(http, plain("t")) as session:
        for request in (GET, GET, post, post):
            with suppress(ConnectionBroken):
                await session.request(request)
        for _ in range(2):
            with suppress(ConnectionBroken):
                async with session.stream(GET):
                    pass
        counted = {("GET", "200"): 2, ("GET", "404"): 1, ("POST", NO_ANSWER): 2, ("GET", NO_ANSWER): 1}
        assert dict(session.requests) == counted
        taken = {method: sum(each.counts) for method, each in session.durations.items()}
        assert taken == {"GET": 3, "POST": 1}


async def test_unusable_certificates_are_the_users() -> None:
    """At once, not at the first request."""
    with pytest.raises(UserError, match="CA"):
        async with open_session(Credentials("h", ca=b"nonsense")):
            raise AssertionError("unreachable")
