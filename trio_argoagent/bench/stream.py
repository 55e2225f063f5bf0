"""The questions about the link, and who is asked besides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

from trio_argoagent.bench.figures import CPU, Case, Sense
from trio_argoagent.bench.pairs import pair
from trio_argoagent.bench.questions import Goal, Growth, Question, Side

FAMILY: Final = "stream"
_PACKAGE: Final = "trio_argoagent.bench"

SIDES: Final[Mapping[str, Side]] = {
    side.name: side
    for side in (
        Side("messages", f"{_PACKAGE}.ours", "our link: messages, decoded and validated", "messages"),
        Side("frames", f"{_PACKAGE}.ours", "our link: frames, as they are", "frames"),
        Side("bytes", f"{_PACKAGE}.ours", "one of our HTTP/2 streams: bytes without frames", "bytes"),
        Side("tls-own", f"{_PACKAGE}.raw", "bytes over our TLS stream, 64 KiB at once", "own"),
        Side("tls-trio", f"{_PACKAGE}.raw", "bytes over trio.SSLStream, 64 KiB at once", "trio"),
        Side("grpc.aio", f"{_PACKAGE}.grpc_aio", "grpcio on asyncio, a stream of messages", package="grpc"),
        Side("grpclib", f"{_PACKAGE}.grpc_lib", "grpclib, a stream of messages", package="grpclib"),
    )
}
"""By name, in the order of the tables."""
_ALL: Final = tuple(SIDES)
_CONNECTED: Final = ("frames", "tls-own", "tls-trio", "grpc.aio", "grpclib")
_QUICK: Final = ("frames", "grpc.aio")
_MORE, _LESS = Sense.AT_LEAST, Sense.AT_MOST


def _question(
    name: str,
    what: str,
    cases: tuple[Case, ...],
    case_unit: str,
    sides: tuple[str, ...],
    *,
    quick_cases: tuple[Case, ...] = (),
    goals: tuple[Goal, ...] = (),
    growth: tuple[Growth, ...] = (),
) -> Question:
    """One about the link: frames are ours."""
    those = tuple(SIDES[side] for side in sides)
    return Question(
        name,
        FAMILY,
        what,
        cases,
        case_unit,
        pair(name),
        those,
        "frames",
        quick_cases,
        goals,
        growth,
        quick_sides=_QUICK,
    )


def _crowd(name: str, *arguments: Any, **more: Any) -> Question:
    """One whose connections are all there at once; what they take in memory is the same in every round."""
    return attrs.evolve(_question(name, *arguments, **more), files=1, rounds=int(name == "idle"))


QUESTIONS: Final[Mapping[str, Question]] = {
    question.name: question
    for question in (
        _question(
            "one-way",
            "one way, as fast as it goes",
            (200, 2048, 20480),
            "B",
            _ALL,
            goals=(
                Goal("200 B frames a second", "frames", 200, "rate", _MORE, 500_000),
                Goal("200 B messages a second", "messages", 200, "rate", _MORE, 200_000),
                Goal("CPU of a 200 B frame, of grpc.aio's", "frames", 200, CPU, _LESS, 0.1, "grpc.aio"),
                Goal("20 KiB frames, of raw Trio TLS", "frames", 20480, "rate", _MORE, 0.8, "tls-trio"),
                Goal("20 KiB frames, of our raw TLS", "frames", 20480, "rate", _MORE, 0.8, "tls-own"),
            ),
            growth=(Growth("CPU of a frame against its bytes", CPU, 1.0, "frames"),),
        ),
        _question("echo", "there and back, 256 at a time", (200,), "B", _ALL),
        _question(
            "ping-pong",
            "there and back, one at a time",
            (200, 20480),
            "B",
            _ALL,
            quick_cases=(200,),
        ),
        _crowd(
            "many",
            "each connection: 200 B there and back, then again",
            (50, 500),
            "connections",
            ("messages", *_CONNECTED),
            quick_cases=(50, 200),
            goals=(Goal("echoes a second with 500 agents", "frames", 500, "rate", _MORE, 10_000),),
        ),
        _crowd(
            "idle",
            "what an idle connection costs the server in memory",
            (250, 500, 1000),
            "connections",
            _CONNECTED,
            quick_cases=(100, 200),
            goals=(Goal("KiB of an idle connection", "frames", 1000, "rss", _LESS, 100),),
            growth=(Growth("memory of an idle connection against connections", "rss", 0.1, "frames"),),
        ),
        _question(
            "connect",
            "TCP, mutual TLS, a stream, one message there and back",
            (500,),
            "connections",
            _CONNECTED,
            quick_cases=(100,),
        ),
    )
}
"""By name."""
