"""The options of ``trio-argoagent simulate``."""

from __future__ import annotations

from typing import Any

import click

from trio_argoagent.cli.trial_options import fault_option, fleet_options, json_option, seed_option


@click.command(short_help="Play outages of a fleet in virtual time.")
@fleet_options(1000, "Agents of each fleet; the seed draws their modes.")
@click.option(
    "--hours",
    default=None,
    show_default="a minute",
    type=click.FloatRange(0, 1000, min_open=True),
    metavar="H",
    help="Virtual time of work and trouble; until both sides agree and are silent comes on top.",
)
@fault_option
@click.option(
    "--level",
    default=None,
    show_default="1",
    type=click.IntRange(1, 2),
    metavar="1|2",
    help="What links are: 1, whole frames in memory; 2, HTTP/2 over bytes in memory, cut anywhere.",
)
@click.option(
    "--mapping",
    default=None,
    show_default="namespace",
    type=click.Choice(("namespace", "destination")),
    help="How Applications find managed agents; by destination, they also move between them.",
)
@click.option("--credentials", is_flag=True, help="Users also work with credentials and GPG keys.")
@click.option("--tunnels", is_flag=True, help="Tunnels to the spokes are used beside it.")
@seed_option("The first seed.")
@click.option(
    "--seeds",
    default=None,
    show_default="1",
    type=click.IntRange(1, 100_000),
    metavar="N",
    help="How many seeds, counted from the first.",
)
@click.option(
    "--jobs",
    default=None,
    show_default="one for each core",
    type=click.IntRange(1, 256),
    metavar="J",
    help="Seeds that are played at once, each in a process.",
)
@json_option
@click.option(
    "--trace", default="", metavar="FILE", help="Write every API write to this file as a JSON line."
)
@click.option("--replay", default="", metavar="FILE", help="Play this saved plan; nothing is drawn.")
@click.option(
    "--scenario",
    multiple=True,
    metavar="FILE",
    help="Play this scenario (YAML) and judge what it expects; may be repeated.",
)
@click.option(
    "--compare",
    default=None,
    nargs=2,
    metavar="A B",
    help="Play nothing: say in which write two files of --trace differ first.",
)
@click.option(
    "--shrink",
    is_flag=True,
    help="Drop what the first violation does not need, and save the plan as simulate-seed-S.json.",
)
def simulate(**options: Any) -> None:
    """Play fleets under seeded work and trouble in virtual time, and judge every API write.

    A seed is a whole experiment: it draws the fleet, what users do, what goes wrong, and the order in which
    tasks run, and draws the same again on every run. Exit code 1: a rule was broken; the seed, what led to it
    and the command that shows it again are printed.
    """
    from trio_argoagent.cli.simulate import run_simulate

    run_simulate(**options)
