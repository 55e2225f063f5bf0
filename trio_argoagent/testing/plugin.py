"""A pytest plugin: whole fleets as fixtures, in virtual time, the same at each run.

With the package installed it is there; it loads nothing of the package until a test uses one of its fixtures.

A test that uses ``fleet`` (itself or through another fixture) must be an async function. It runs from its
beginning to its end in virtual time under a schedule that follows from its seed. So it needs no clock
fixture, and two runs take the same steps. With pytest-trio, its async fixtures may use the fleet, too, with
or without ``trio_mode``; without it, the test alone is async.

How: pytest-trio lets a ``trio`` marker name the function that runs a test. The plugin puts such a marker
before all others. Its function opens the fleet round everything that pytest-trio does for the test, so that
the fleet itself is no async fixture: pytest-trio starts those in an order that differs from run to run.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from trio_argoagent.apiserver.local import LocalCluster
    from trio_argoagent.testing.fleet import Fleet, SpokePlan

FIXTURE: Final = "fleet"
MARKER: Final = "fleet"
DEFAULT: Final = ("east",)
"""The managed agents of a test that names none."""
SEED: Final = 0
_FLEETS: Final = pytest.StashKey["Fleet"]()


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers",
        "fleet(managed=('east',), autonomous=(), seed=0, start=True, level=1): the agents of the test's "
        "fleet by mode, the seed of everything that is drawn, whether its programs are started, and what "
        "links are: frames in memory (1) or HTTP/2 over bytes in memory (2)",
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let pytest-trio run the tests that use a fleet our way."""
    if config.pluginmanager.hasplugin("trio"):
        for item in items:
            if _uses_fleet(item) and inspect.iscoroutinefunction(getattr(item, "obj", None)):
                item.add_marker(pytest.mark.trio(run=partial(_run, item)), append=False)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that uses a fleet where there is no pytest-trio; with it, the test is sync by now."""
    if not (_uses_fleet(pyfuncitem) and inspect.iscoroutinefunction(pyfuncitem.obj)):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters}
    _run(pyfuncitem, partial(pyfuncitem.obj, **arguments))
    return True


@pytest.fixture
def fleet(request: pytest.FixtureRequest) -> Fleet:
    """A running fleet: see ``trio_argoagent.testing.Fleet`` and the marker ``fleet``."""
    from trio_argoagent.testing.fleet import Fleet

    item = request.node
    if not _uses_fleet(item):
        pytest.fail("a fixture that builds on 'fleet' needs another name than 'fleet'", pytrace=False)
    if hasattr(item.obj, "hypothesis"):
        pytest.fail("a fleet serves one run: with Hypothesis use simulate() and open_fleet()", pytrace=False)
    if not inspect.iscoroutinefunction(item.obj):
        pytest.fail("a test that uses the fixture 'fleet' must be an async function", pytrace=False)
    options = _options(item)
    item.stash[_FLEETS] = made = Fleet(options["seed"], _plans(options), level=options["level"])
    return made


@pytest.fixture
def hub(fleet: Fleet) -> LocalCluster:
    """The hub's cluster as a user sees it: ``trio_argoagent.ports.cluster.Cluster``, without faults."""
    return fleet.cluster("hub")


@pytest.fixture
def agents(fleet: Fleet) -> Mapping[str, LocalCluster]:
    """Each agent's cluster as a user sees it, by the agent's name, without faults."""
    return {name: fleet.cluster(name) for name in fleet.spokes}


def _uses_fleet(item: pytest.Item) -> bool:
    """Does it use our fixture? A project may have one of that name itself; then the nearest counts."""
    known: Any = getattr(item, "_fixtureinfo", None)
    found: Sequence[Any] = known.name2fixturedefs.get(FIXTURE, ()) if known is not None else ()
    return bool(found) and found[-1].func.__module__ == __name__


def _options(item: pytest.Item) -> dict[str, Any]:
    """What the nearest marker says, each option by itself; a marker of the module sets what a test leaves."""
    options: dict[str, Any] = {"managed": None, "autonomous": (), "seed": SEED, "start": True, "level": 1}
    for marker in reversed([*item.iter_markers(MARKER)]):
        unknown = [name for name in marker.kwargs if name not in options]
        if marker.args or unknown:
            wrong = f"unknown: {', '.join(unknown)}" if unknown else "give its options by name"
            pytest.fail(f"the marker 'fleet' takes {', '.join(options)}; {wrong}", pytrace=False)
        options |= marker.kwargs
    if options["managed"] is None:
        options["managed"] = () if options["autonomous"] else DEFAULT
    for name in ("managed", "autonomous"):
        if isinstance(options[name], str):
            pytest.fail(f"the marker 'fleet' takes a sequence of names as {name!r}", pytrace=False)
    return options


def _plans(options: Mapping[str, Any]) -> Sequence[SpokePlan]:
    from trio_argoagent.model.identity import Mode
    from trio_argoagent.testing.fleet import SpokePlan

    managed = [SpokePlan(name, Mode.MANAGED) for name in options["managed"]]
    return [*managed, *(SpokePlan(name, Mode.AUTONOMOUS) for name in options["autonomous"])]


def _run(
    item: pytest.Item,
    main: Callable[[], Awaitable[None]],
    *,
    clock: object = None,
    instruments: Sequence[Any] = (),
) -> None:
    """Run a test inside its fleet; the signature is the part of ``trio.run`` that pytest-trio uses."""
    __tracebackhide__ = True
    from trio_argoagent.testing.scheduling import simulate

    if clock is not None:
        pytest.fail("the fixture 'fleet' brings virtual time along: drop the clock fixture", pytrace=False)
    options = _options(item)
    simulate(_inside, item.stash[_FLEETS], options["start"], main, instruments, seed=options["seed"])


async def _inside(
    fleet: Fleet, start: bool, main: Callable[[], Awaitable[None]], instruments: Sequence[Any]
) -> None:
    __tracebackhide__ = True
    import trio

    from trio_argoagent.testing.fleet import run_fleet

    for instrument in instruments:
        trio.lowlevel.add_instrument(instrument)
    async with run_fleet(fleet, start=start):
        await main()
