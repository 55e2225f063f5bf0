"""The real world's ``Env``: the one place where the product reads the clock and draws randomness."""

from __future__ import annotations

import os
import random
import time

from trio_argoagent.ports.env import Env


def real_env() -> Env:
    """Wall time, jitter and entropy of this machine."""
    # The bans below hold everywhere else: what is drawn here is handed on.
    return Env(now=time.time, random=random.SystemRandom(), entropy=os.urandom)  # noqa: TID251


def seeded_env(seed: str) -> Env:
    """Wall time as it is, but jitter and ids that follow from a seed: for demonstrations, never for keys."""
    source = random.Random(seed)
    return Env(now=time.time, random=source, entropy=source.randbytes)  # noqa: TID251
