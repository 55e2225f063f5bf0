"""The questions about the link, and who is asked besides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from trio_argoagent.bench.values import CPU, Goal, Question, Sense, Side

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
_MORE, _LESS = Sense.AT_LEAST, Sense.AT_MOST

QUESTIONS: Final[Mapping[str, Question]] = {
    question.name: question
    for question in (
        Question(
            "one-way",
            "one way, as fast as it goes",
            "one-way",
            (200, 2048, 20480),
            "B",
            _ALL,
            "frames",
            goals=(
                Goal("200 B frames a second", "frames", 200, "rate", _MORE, 500_000),
                Goal("200 B messages a second", "messages", 200, "rate", _MORE, 200_000),
                Goal("CPU of a 200 B frame, of grpc.aio's", "frames", 200, CPU, _LESS, 0.1, "grpc.aio"),
                Goal("20 KiB frames, of raw Trio TLS", "frames", 20480, "rate", _MORE, 0.8, "tls-trio"),
                Goal("20 KiB frames, of our raw TLS", "frames", 20480, "rate", _MORE, 0.8, "tls-own"),
            ),
        ),
        Question("echo", "there and back, 256 at a time", "echo", (200,), "B", _ALL, "frames"),
        Question(
            "ping-pong",
            "there and back, one at a time",
            "ping-pong",
            (200, 20480),
            "B",
            _ALL,
            "frames",
            quick_cases=(200,),
        ),
        Question(
            "many",
            "each connection: 200 B there and back, then again",
            "many",
            (50, 500),
            "connections",
            ("messages", *_CONNECTED),
            "frames",
            quick_cases=(50, 200),
            goals=(Goal("echoes a second with 500 agents", "frames", 500, "rate", _MORE, 10_000),),
        ),
        Question(
            "idle",
            "what an idle connection costs the server in memory",
            "idle",
            (500, 1000),
            "connections",
            _CONNECTED,
            "frames",
            quick_cases=(100, 200),
            goals=(Goal("KiB of an idle connection", "frames", 1000, "rss", _LESS, 100),),
        ),
        Question(
            "connect",
            "TCP, mutual TLS, a stream, one message there and back",
            "connect",
            (1000,),
            "connections",
            _CONNECTED,
            "frames",
            quick_cases=(200,),
        ),
    )
}
"""By name."""
