"""How long does one message take there and back?

python -m benchmarks.stream_ping_pong [--quick] [--side NAME] [--output DIR]
"""

from __future__ import annotations

import sys

from trio_argoagent.cli import main

if __name__ == "__main__":
    main(["bench", "ping-pong", *sys.argv[1:]])
