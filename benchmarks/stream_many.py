"""How many messages a second does one process echo to 50 connections, and to 500?

python -m benchmarks.stream_many [--quick] [--side NAME] [--output DIR]
"""

from __future__ import annotations

import sys

from trio_argoagent.cli import main

if __name__ == "__main__":
    main(["bench", "many", *sys.argv[1:]])
