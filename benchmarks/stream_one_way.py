"""How fast does a link carry messages one way, and what does a message cost either side?

python -m benchmarks.stream_one_way [--quick] [--side NAME] [--output DIR]
"""

from __future__ import annotations

import sys

from trio_argoagent.cli import main

if __name__ == "__main__":
    main(["bench", "one-way", *sys.argv[1:]])
