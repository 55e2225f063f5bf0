"""How many agents a second can connect, and what does one cost?

python -m benchmarks.stream_connect [--quick] [--side NAME] [--output DIR]
"""

from __future__ import annotations

import sys

from trio_argoagent.cli import main

if __name__ == "__main__":
    main(["bench", "connect", *sys.argv[1:]])
