"""Both programs without TLS, as in a mesh: here the agent itself says the header that a proxy would set."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from .programs import START_TIMEOUT, one_spoke

pytestmark = pytest.mark.processes


@pytest.mark.parametrize("websocket", [False, True])
async def test_a_link_by_a_header(tmp_path: Path, websocket: bool) -> None:
    """The link comes up, under the name in the header; the audit log says where it came from."""
    more = ("--insecure-plaintext", *(("--enable-websocket",) if websocket else ()))
    async with one_spoke(tmp_path) as fleet:
        await fleet.hub.add_agents("east")

        def plain(arguments: object) -> tuple[str, ...]:
            assert isinstance(arguments, tuple)
            return tuple(each for each in arguments if "--tls" not in each and "ca-path" not in each)

        fleet.principal.arguments = (
            *plain(fleet.principal_arguments(0)),
            *more,
            "--auth=header:x-id:^id=(.+)$",
        )
        await fleet.nursery.start(fleet.principal.run)
        with trio.fail_after(START_TIMEOUT):
            port = int((await fleet.principal.wait_said("listening"))["detail"].rpartition(":")[2])
            agent = fleet.east.agent
            agent.arguments = (*plain(fleet.agent_arguments(fleet.east, port)), *more)
            agent.environ["ARGOCD_AGENT_CREDS"] = "header:X-Id:id=east"
            await fleet.nursery.start(agent.run)
            up = await fleet.principal.wait_said("link-up")
            admitted = await fleet.principal.wait_said("admitted")
        assert up["agent"] == "east"
        assert (admitted["agent"], admitted["fingerprint"]) == ("east", "")
        assert admitted["address"].startswith("127.0.0.1:")
