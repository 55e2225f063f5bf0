"""Properties draw the same examples on every run: a red run is a change's doing, never the draw's.

To look for more, draw freely: ``pytest --hypothesis-profile=default``.
"""

from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, database=None, deadline=None)
settings.load_profile("repeatable")
