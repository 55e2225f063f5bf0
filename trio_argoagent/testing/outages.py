"""What a test can do to a fleet: one method for each way in which the world fails.

``Fleet`` is built on this. Every method takes effect at once and returns at once; what lasts, lasts until the
method that its docstring names, or for the seconds given. Unknown names are the test's fault (``UserError``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs
import trio

from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.errors import Unavailable, UserError
from trio_argoagent.ports.env import Env, Random
from trio_argoagent.testing.conditions import Conditions, Tear
from trio_argoagent.testing.hindrance import Hindrance
from trio_argoagent.testing.programs import Program

HUB: Final = "hub"
"""What the hub's cluster is called among the fleet's clusters; the others are called as their agents."""


class Outages:
    """See the module.

    Args:
        network: between the agents and the principal.
        chance: a generator for each program: which of its calls a throttled server turns away.
    """

    def __init__(self, network: Conditions[Any], chance: Callable[[str], Random]) -> None:
        self.network = network
        self.programs: Mapping[str, Program[Any]] = {}
        """Every program by its name: ``principal``, an agent's, ``east/application-controller``."""
        self.servers: Mapping[str, ApiServer] = {}
        """Every cluster's API server by its name: ``hub``, an agent's."""
        self._chance = chance
        self._hindrances: dict[str, Hindrance] = {}
        self._skews: dict[str, float] = {}

    # The network

    def cut(self, agent: str) -> None:
        """Break this agent's link and let it open none until ``heal``. What was on the way is lost."""
        self.network.cut(self._agent(agent))

    def slow(self, agent: str, seconds: float) -> None:
        """Until ``heal``, each frame of this agent, either way, is under way for so much longer."""
        self.network.slow(self._agent(agent), seconds)

    def narrow(self, agent: str, *, up: float = 0.0, down: float = 0.0) -> None:
        """Until ``heal``, this agent's link carries no more bytes a second than that.

        Args:
            agent: whose.
            up: to the principal; 0: as many as there are.
            down: from it.
        """
        self.network.narrow(self._agent(agent), up=up, down=down)

    def half_open(self, agent: str, *, up: bool = True, down: bool = True) -> None:
        """What this agent's present link carries vanishes, and neither side is told.

        It lasts until one side finds out by its keepalive and a new link is opened; ``heal`` does not help.

        Args:
            agent: which.
            up: lose what it says to the principal.
            down: lose what the principal says to it.
        """
        self.network.half_open(self._agent(agent), up=up, down=down)

    def tear(self, agent: str, after: int, how: Tear = Tear.BREAK) -> None:
        """End this agent's present link in the middle of what the principal says; it may dial again at once.

        Args:
            agent: which.
            after: bytes that the principal still sends before.
            how: what ends it; at level 1, where no HTTP/2 is spoken, it makes no difference.
        """
        self.network.tear(self._agent(agent), after, how)

    def heal(self, agent: str) -> None:
        """End ``cut``, ``slow`` and ``narrow``. The agent dials when it next tries, after up to 30 s."""
        self.network.heal(self._agent(agent))

    def expire_certificate(self, agent: str) -> None:
        """Refuse new links of this agent until ``renew_certificate``; the present one ends now."""
        self.network.expire(self._agent(agent))

    def renew_certificate(self, agent: str) -> None:
        """Give this agent a certificate that is valid."""
        self.network.renew(self._agent(agent))

    # Programs

    def kill(self, program: str) -> None:
        """End a program at the step it has reached, and keep it down until ``restart``.

        It forgets everything; a request that it has sent may land long afterwards.
        """
        self._program(program).crash()
        self.network.died(program)

    def restart(self, program: str) -> None:
        """Kill a program if it runs, and begin it anew with an empty memory."""
        self.kill(program)
        self._program(program).start()

    def pause(self, program: str, seconds: float) -> None:
        """Let a program hear nothing and say nothing for a while, as a stopped process does.

        A true pause is impossible here: Trio schedules every task of the run. So the program's API calls and
        its link stall both ways, while its own timers go on: it may notice a silent peer amid its pause.
        """
        self.hindrance_of(program).paused_until = max(
            self.hindrance_of(program).paused_until, trio.current_time() + seconds
        )
        self.network.pause(program, seconds)

    def skew_clock(self, program: str, seconds: float) -> None:
        """Set a program's wall clock so far ahead (less than 0: behind) of the others'; 0 sets it right."""
        self._program(program)
        self._skews[program] = seconds

    # API servers

    def throttle_api(self, cluster: str, share: float = 0.0, *, seconds: float = 0.0) -> None:
        """Let an API server be overloaded for the fleet's programs, until it is called again with neither.

        Args:
            cluster: ``hub`` or an agent's name.
            share: of all calls, turned away with 429 (0 to 1).
            seconds: that each call waits.

        Raises:
            UserError: there is no such cluster, or the share is none.
        """
        self._server(cluster)
        if not 0.0 <= share <= 1.0 or seconds < 0.0:
            raise UserError(f"a share is 0 to 1, and seconds are not negative: not {share} and {seconds}")
        for program in self.programs:
            if self._cluster_of(program) == cluster:
                hindrance = self.hindrance_of(program)
                hindrance.share, hindrance.seconds = share, seconds

    def break_watch(self, cluster: str) -> None:
        """Break every watch of an API server and let it forget its past: each goes on with 410 and a list."""
        server = self._server(cluster)
        server.compact(server.rv)
        server.drop_watches(Unavailable("the simulated server restarts"))

    # For the fleet

    def hindrance_of(self, program: str) -> Hindrance:
        """What stands between this program and its API server."""
        self._program(program)
        if program not in self._hindrances:
            self._hindrances[program] = Hindrance(self._chance(program))
        return self._hindrances[program]

    def skewed(self, program: str, env: Env) -> Env:
        """A program's environment, with the wall clock that ``skew_clock`` sets."""
        return attrs.evolve(env, now=lambda: env.now() + self._skews.get(program, 0.0))

    def _agent(self, name: str) -> str:
        agents = [each for each in self.servers if each != HUB]
        if name not in agents:
            raise UserError(f"there is no agent {name!r}; there are: {', '.join(agents)}")
        return name

    def _program(self, name: str) -> Program[Any]:
        if name not in self.programs:
            raise UserError(f"there is no program {name!r}; there are: {', '.join(self.programs)}")
        return self.programs[name]

    def _server(self, name: str) -> ApiServer:
        if name not in self.servers:
            raise UserError(f"there is no cluster {name!r}; there are: {', '.join(self.servers)}")
        return self.servers[name]

    def _cluster_of(self, program: str) -> str:
        """The cluster a program works on: an agent's, or that of ``east/...``; all others work on the hub."""
        name = program.partition("/")[0]
        return name if name in self.servers else HUB
