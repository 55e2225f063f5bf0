"""What does a restart of the principal cost, when nothing has changed?

python -m benchmarks.fleet_restart [--quick] [--output DIR]
"""

from __future__ import annotations

import sys

from trio_argoagent.cli import main

if __name__ == "__main__":
    main(["bench", "hub-restart", *sys.argv[1:]])
