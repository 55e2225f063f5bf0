"""Delays grow, are capped and are forgotten."""

from trio_argoagent.kube.protocol.backoff import ASKED_CAP, BASE, CAP, HEALTHY, Backoff


def test_delays_double_up_to_the_cap() -> None:
    """Without jitter: 0.8, 1.6, 3.2, ... 30, 30."""
    backoff = Backoff()
    delays = [backoff.failed(0.0, 0.0) for _ in range(8)]
    assert delays[:3] == [BASE, 2 * BASE, 4 * BASE]
    assert delays[-2:] == [CAP, CAP]


def test_jitter_only_stretches() -> None:
    """At the cap a delay lies in [30, 60)."""
    backoff = Backoff()
    for _ in range(10):
        backoff.failed(0.0, 0.0)
    assert backoff.failed(0.0, 0.999) < 2 * CAP
    assert backoff.failed(0.0, 0.5) == 1.5 * CAP


def test_good_times_forget() -> None:
    """Two minutes beyond the delay without a failure start again from the first delay."""
    backoff = Backoff()
    backoff.failed(0.0, 0.0)
    second = backoff.failed(10.0, 0.0)
    assert second == 2 * BASE
    assert backoff.failed(10.0 + second + HEALTHY, 0.0) == 4 * BASE
    assert backoff.failed(1000.0, 0.0) == BASE


def test_the_server_may_ask_for_more_within_bounds() -> None:
    """Retry-After is a floor, and not for ever."""
    assert Backoff().failed(0.0, 0.0, at_least=7.0) == 7.0
    assert Backoff().failed(0.0, 0.0, at_least=1e9) == ASKED_CAP


def test_endless_failures_stay_finite() -> None:
    """Two thousand failures in a row still give the cap."""
    backoff = Backoff()
    for _ in range(2000):
        delay = backoff.failed(0.0, 0.0)
    assert delay == CAP


def test_reset() -> None:
    """A reset gives the first delay again."""
    backoff = Backoff()
    backoff.failed(0.0, 0.0)
    backoff.reset()
    assert backoff.failed(0.0, 0.0) == BASE
