"""How fast do messages go there and back, 256 of them at a time?

python -m benchmarks.stream_echo [--quick] [--side NAME] [--output DIR]
"""

from __future__ import annotations

import sys

from trio_argoagent.cli import main

if __name__ == "__main__":
    main(["bench", "echo", *sys.argv[1:]])
