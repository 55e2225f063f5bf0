"""The fixtures, as a user's project meets them: each test runs a pytest of its own."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]
PLUGIN = "trio_argoagent.testing.plugin"
IMPORTS = """
import pytest, trio
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.testing import application, automated
from trio_argoagent.testing.trial import history_digest
"""


def run(pytester: pytest.Pytester, text: str, *options: str) -> pytest.RunResult:
    """Run a test file; warnings are errors, and unknown markers too."""
    pytester.makepyfile(IMPORTS + text)
    return pytester.runpytest_subprocess("-p", PLUGIN, "-W", "error", "--strict-markers", *options)


def test_a_fleet_runs_in_virtual_time_without_any_setting(pytester: pytest.Pytester) -> None:
    """No trio_mode, marker or clock: an hour passes in no time, and there is one managed agent by default."""
    text = """
async def test_x(fleet, hub, agents):
    assert trio.current_time() < 1.0
    await fleet.apply(application("web", namespace="east", syncPolicy=automated()))
    await fleet.wait_synced()
    await trio.sleep(3600)
    assert (await hub.get(APPLICATIONS, "east", "web")).meta.name == "web"
    assert [*agents] == ["east"]
    assert (await agents["east"].get(APPLICATIONS, "argocd", "web")).meta.namespace == "argocd"
"""
    run(pytester, text).assert_outcomes(passed=1)


@pytest.mark.parametrize("mode", ["true", "false"])
def test_async_fixtures_of_the_user_have_the_running_fleet(pytester: pytest.Pytester, mode: str) -> None:
    """Beside pytest-trio, whatever its mode: fixtures before and after the test, and parameters."""
    pytester.makeini(f"[pytest]\ntrio_mode = {mode}\n")
    text = """
@pytest.fixture
async def loaded(fleet):
    await fleet.apply(application("web", namespace="east"))
    await fleet.wait_consistent()
    yield fleet
    assert trio.current_time() >= 100

@pytest.mark.parametrize("name", ["web", "other"])
async def test_x(loaded, nursery, name):
    nursery.start_soon(trio.sleep, 100)
    await trio.sleep(100)
    assert any(key[3] == name for key in loaded.snapshot().objects) == (name == "web")
"""
    run(pytester, text).assert_outcomes(passed=2)


def test_without_pytest_trio_a_test_runs_too(pytester: pytest.Pytester) -> None:
    """The test itself is async; async fixtures need pytest-trio."""
    text = """
async def test_x(fleet, tmp_path):
    await trio.sleep(3600)
    assert tmp_path.exists()

async def test_y(fleet):
    assert fleet is None
"""
    run(pytester, text, "-p", "no:trio").assert_outcomes(passed=1, failed=1)


def test_the_marker_says_what_fleet_it_is(pytester: pytest.Pytester) -> None:
    """Agents by mode, seed, and whether programs are started; a module's marker fills what a test leaves."""
    text = """
pytestmark = pytest.mark.fleet(seed=7, managed=("north",))

@pytest.mark.fleet(managed=("east", "west"), autonomous=("edge",))
async def test_agents(fleet):
    modes = {name: spoke.plan.mode.value for name, spoke in fleet.spokes.items()}
    assert modes == {"east": "managed", "west": "managed", "edge": "autonomous"}
    assert fleet.seed == 7

@pytest.mark.fleet(start=False, seed=8)
async def test_stopped(fleet):
    await trio.sleep(10)
    assert [*fleet.spokes] == ["north"] and fleet.seed == 8
    assert not any(program.starts for program in fleet.programs.values())
"""
    run(pytester, text).assert_outcomes(passed=2)


def test_a_seed_takes_the_same_steps_every_time(pytester: pytest.Pytester) -> None:
    """Two processes with different hash seeds write the same history; another seed writes another one."""
    text = """
@pytest.fixture
async def loaded(fleet):
    await fleet.apply(application("web", namespace="east", syncPolicy=automated()))

@pytest.mark.parametrize("seed", [pytest.param(n, marks=pytest.mark.fleet(seed=n)) for n in (1, 2)])
async def test_x(fleet, loaded, seed):
    await fleet.wait_synced()
    fleet.restart("east")
    await fleet.wait_consistent()
    print("digest", history_digest(fleet))
"""
    digests = []
    for hash_seed in ("1", "2"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONHASHSEED", hash_seed)
            pytester.makepyfile(IMPORTS + text)
            result = pytester.runpytest_subprocess("-p", PLUGIN, "-s")
        result.assert_outcomes(passed=2)
        found = [line.split()[-1] for line in result.outlines if "digest" in line]
        digests.append(found)
    assert digests[0] == digests[1]
    assert digests[0][0] != digests[0][1]


def test_a_failure_is_the_tests_own(pytester: pytest.Pytester) -> None:
    """A failing assertion, a skip and an expected failure come out as they are, not as groups."""
    text = """
async def test_fails(fleet):
    assert 1 == 2

async def test_skips(fleet):
    pytest.skip("not today")

async def test_expected(fleet):
    pytest.xfail("known")
"""
    result = run(pytester, text)
    result.assert_outcomes(failed=1, skipped=1, xfailed=1)
    result.stdout.fnmatch_lines(["FAILED *::test_fails - assert 1 == 2"])
    result.stdout.no_fnmatch_line("*Exception Group*")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def test_x(fleet): pass", "must be an async function"),
        ("async def test_x(fleet, autojump_clock): pass", "brings virtual time along"),
        ("@pytest.mark.fleet(agents=3)\nasync def test_x(fleet): pass", "unknown: agents"),
        ("@pytest.mark.fleet('east')\nasync def test_x(fleet): pass", "by name"),
        ("@pytest.mark.fleet(managed='east')\nasync def test_x(fleet): pass", "a sequence of names"),
        (
            "import hypothesis\nfrom hypothesis import strategies as st\n"
            "@hypothesis.given(n=st.integers())\nasync def test_x(fleet, n): pass",
            "with Hypothesis use simulate()",
        ),
    ],
)
def test_a_mistake_is_told_in_one_line(pytester: pytest.Pytester, text: str, said: str) -> None:
    """What cannot work says so, and what to do."""
    result = run(pytester, text)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([f"*{said}*"])


def test_other_tests_are_left_alone(pytester: pytest.Pytester) -> None:
    """Tests without a fleet keep pytest-trio's clock and marker; a user's own ``fleet`` wins."""
    pytester.makepyfile(
        test_own="""
import pytest
@pytest.fixture
def fleet():
    return 7

def test_x(fleet):
    assert fleet == 7
""",
        test_built="""
import pytest
@pytest.fixture
def fleet(fleet):
    return fleet

async def test_x(fleet):
    pass
""",
    )
    text = """
@pytest.mark.trio
async def test_x(autojump_clock):
    await trio.sleep(1000)

def test_sync():
    pass
"""
    result = run(pytester, text)
    result.assert_outcomes(passed=3, errors=1)
    result.stdout.fnmatch_lines(["*needs another name than 'fleet'*"])
