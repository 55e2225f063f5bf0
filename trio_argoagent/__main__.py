"""``python -m trio_argoagent``: the same as the console script."""

from trio_argoagent.cli import main

main()
