"""What both programs tell beside their feeds: the process, certificates, the cluster's API."""

from __future__ import annotations

import os
import resource
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import attrs
import trio

from trio_argoagent._version import __version__
from trio_argoagent.kube.informer import Informer
from trio_argoagent.model.latency import Latencies
from trio_argoagent.model.rulings import Auditor, Decision, Ruling
from trio_argoagent.runtime.endings import Endings
from trio_argoagent.runtime.logfile import Unfailing
from trio_argoagent.runtime.material import InUse
from trio_argoagent.runtime.metrics import feeds, machine
from trio_argoagent.runtime.metrics.exposition import Figures
from trio_argoagent.runtime.metrics.rows import Row
from trio_argoagent.runtime.metrics.sheet import Sheet
from trio_argoagent.runtime.observing.lag import Lag

REVISION: Final = "unknown"
"""Nothing says which commit a wheel was built of."""
_PROC: Final = Path("/proc")


@attrs.frozen
class Around:
    """What every program has.

    Attributes:
        lag: of its event loop.
        in_use: its certificates.
        requests: to its cluster's API, by method and code of the answer.
        durations: of those that were answered, by method.
        log: where its log goes.
    """

    lag: Lag
    in_use: Callable[[], Iterable[InUse]]
    requests: Mapping[tuple[str, str], int]
    durations: Mapping[str, Latencies]
    log: Unfailing

    def figures(self) -> tuple[Figures, ...]:
        """What there is to tell of it."""
        others = certificates(self.in_use), api(self.requests, self.durations), lost(self.log)
        return process, loop(self.lag), *others


def process(sheet: Sheet) -> Iterable[None]:
    """The process and its event loop; what this system does not tell is left out."""
    sheet.put(machine.BUILD_INFO, 1, __version__, REVISION)
    used = resource.getrusage(resource.RUSAGE_SELF)
    sheet.put(machine.CPU, used.ru_utime + used.ru_stime)
    sheet.put(machine.MOST_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    sheet.put(machine.TASKS, trio.lowlevel.current_statistics().tasks_living)
    try:
        pages = int((_PROC / "self/statm").read_text().split()[1])
        sheet.put(machine.MEMORY, pages * os.sysconf("SC_PAGE_SIZE"))
        sheet.put(machine.OPEN_FILES, len(os.listdir(_PROC / "self/fd")))
        sheet.put(machine.STARTED, _started())
    except OSError:
        pass  # No procfs: not Linux.
    return ()


@cache
def _started() -> float:
    """Unix time, from the ticks since boot that proc(5) calls field 22; a name may hold spaces."""
    ticks = int((_PROC / "self/stat").read_text().rpartition(")")[2].split()[19])
    lines = (_PROC / "stat").read_text().splitlines()
    boot = next(int(line.split()[1]) for line in lines if line.startswith("btime "))
    return boot + ticks / os.sysconf("SC_CLK_TCK")


def loop(lag: Lag) -> Figures:
    """How late the event loop is."""

    def figures(sheet: Sheet) -> Iterable[None]:
        found = lag.statistics()
        sums = [0, *(count for _, count in found.buckets)]
        sheet.put_histogram(machine.LAG, [more - less for less, more in pairwise(sums)], found.total)
        sheet.put(machine.LAG_WORST, found.worst)
        return ()

    return figures


def lost(log: Unfailing) -> Figures:
    """What is missing in the log."""

    def figures(sheet: Sheet) -> Iterable[None]:
        sheet.put(machine.LOG_FAILURES, log.failures)
        return ()

    return figures


def certificates(in_use: Callable[[], Iterable[InUse]]) -> Figures:
    """When they expire: of each purpose the first, and since when that one is valid."""

    def figures(sheet: Sheet) -> Iterable[None]:
        first: dict[str, InUse] = {}
        for each in in_use():
            first[each.use] = min(first.get(each.use, each), each, key=lambda one: one.not_after)
        for use, each in first.items():
            sheet.put(machine.CERTIFICATE_EXPIRY, each.not_after, use)
            sheet.put(machine.CERTIFICATE_START, each.not_before, use)
        return ()

    return figures


def counted(row: Row, counts: Mapping[Any, int]) -> Figures:
    """What somebody counts by the values of the row's one label."""

    def figures(sheet: Sheet) -> Iterable[None]:
        sheet.put_counts(row, counts)
        return ()

    return figures


def api(requests: Mapping[tuple[str, str], int], durations: Mapping[str, Latencies]) -> Figures:
    """How often the cluster's API was asked: by method, and code of the answer; and how long it took."""

    def figures(sheet: Sheet) -> Iterable[None]:
        for (method, code), count in requests.items():
            sheet.put(machine.API_REQUESTS, count, code, method)
        for method, taken in durations.items():
            sheet.put_histogram(machine.API_DURATIONS, taken.counts, taken.total, method)
        return ()

    return figures


def informers(sheet: Sheet, those: Iterable[Informer]) -> None:
    """What they have read."""
    for informer in those:
        sheet.put_fields(machine.INFORMER, informer.statistics(), informer.name)
        sheet.put(machine.INFORMER_COMPLETE, int(informer.complete), informer.name)


def endings(sheet: Sheet, those: Endings) -> None:
    """How links have ended."""
    sheet.put_counts(feeds.LINK_ENDS, those.ends)
    sheet.put_counts(feeds.LINK_REFUSALS, those.refusals)


class Rulings:
    """An auditor that counts decisions, and hands them on.

    Args:
        audit: whom to.
    """

    def __init__(self, audit: Auditor) -> None:
        self._audit = audit
        self.counts: Counter[Decision] = Counter()

    def __call__(self, ruling: Ruling) -> None:
        """See ``Auditor``."""
        self.counts[ruling.decision] += 1
        self._audit(ruling)
