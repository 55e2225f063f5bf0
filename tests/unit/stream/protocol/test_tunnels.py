"""The table of awaited tunnels: an id is good once, for a while, and for nobody who only guesses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_argoagent.errors import LocalProtocolError
from trio_argoagent.stream.protocol.tunnels import STRAYS, Awaited, Verdict, is_tunnel_id

IDS = tuple(f"{number:032x}" for number in range(4))
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["expect", "withdraw", "claim"]),
        st.sampled_from(IDS),
        st.floats(0, 3),
        st.floats(0, 10),
    ),
    max_size=80,
)


def test_an_id_is_good_once() -> None:
    """The second claim finds nothing."""
    table = Awaited()
    table.expect(IDS[0], 10.0)
    assert [table.claim(IDS[0], 5.0) for _ in range(2)] == [Verdict.GRANTED, Verdict.UNKNOWN]
    assert not len(table)


@pytest.mark.parametrize(("now", "verdict"), [(9.999, Verdict.GRANTED), (10.0, Verdict.UNKNOWN)])
def test_an_id_is_good_for_a_while(now: float, verdict: Verdict) -> None:
    """Until its moment, and not in it."""
    table = Awaited()
    table.expect(IDS[0], 10.0)
    assert table.claim(IDS[0], now) is verdict


def test_who_guesses_is_noticed() -> None:
    """So many claims in vain are chance; one more is not."""
    table = Awaited()
    found = [table.claim("guess", 0.0) for _ in range(STRAYS + 1)]
    assert found == [Verdict.UNKNOWN] * STRAYS + [Verdict.ABUSE]


def test_who_comes_late_is_forgiven() -> None:
    """Every tunnel that was asked for in vain may be claimed once, later, and never again."""
    table = Awaited()
    for number in range(1000):
        table.expect(f"{number:032x}", 10.0)
        table.withdraw(f"{number:032x}")
        assert table.claim(f"{number:032x}", 5.0) is Verdict.UNKNOWN
    found = [table.claim(IDS[0], 5.0) for _ in range(STRAYS + 1)]
    assert found[-2:] == [Verdict.UNKNOWN, Verdict.ABUSE]


@pytest.mark.parametrize("text", ["", "x" * 32, "0" * 31, "0" * 33, "0" * 31 + "A", "0" * 30 + "²0"])
def test_what_is_no_id(text: str) -> None:
    """Ids are sixteen bytes in lower-case hexadecimal digits; another one is never awaited."""
    assert not is_tunnel_id(text)
    with pytest.raises(LocalProtocolError):
        Awaited().expect(text, 1.0)


@given(STEPS)
def test_it_grants_what_is_awaited_and_nothing_else(steps: list[tuple[str, str, float, float]]) -> None:
    """Whatever is asked for, withdrawn and claimed, in any order: a dictionary and a counter know as well."""
    table, until, now = Awaited(), dict[str, float](), 0.0
    vain, allowed = 0, STRAYS
    for step, tunnel_id, later, span in steps:
        now += later
        match step:
            case "expect" if tunnel_id in until:
                with pytest.raises(LocalProtocolError):
                    table.expect(tunnel_id, now + span)
            case "expect":
                until[tunnel_id] = now + span
                table.expect(tunnel_id, now + span)
            case "withdraw":
                allowed += tunnel_id in until
                until.pop(tunnel_id, None)
                table.withdraw(tunnel_id)
            case _ if until.get(tunnel_id, 0.0) > now:
                assert table.claim(tunnel_id, now) is Verdict.GRANTED
                del until[tunnel_id]
            case _:
                vain += 1
                expected = Verdict.ABUSE if vain > allowed else Verdict.UNKNOWN
                assert table.claim(tunnel_id, now) is expected
        assert len(table) == len(until)
