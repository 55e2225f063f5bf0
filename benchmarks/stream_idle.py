"""What does a connection that says nothing cost in memory?

python -m benchmarks.stream_idle [--quick] [--side NAME] [--output DIR]
"""

from __future__ import annotations

import sys

from trio_argoagent.cli import main

if __name__ == "__main__":
    main(["bench", "idle", *sys.argv[1:]])
