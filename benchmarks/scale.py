"""What does a fleet cost the simulator, and how long does it take for an hour under trouble?

python -m benchmarks.scale [--quick] [--output DIR]
"""

from __future__ import annotations

import sys

from trio_argoagent.cli import main

if __name__ == "__main__":
    main(["bench", "scale", "hour", *sys.argv[1:]])
