"""What ``trio-argoagent ctl validate`` looks at: a table of checks, each a pure function of what was read.

checks    what a check is, and how a table of them is judged
reading   what they ask for, read from the two clusters
hub, registrations, spoke, argocd, material   the checks themselves
"""
