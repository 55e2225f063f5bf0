"""The demo: a whole fleet on this machine, from one command.

settings    what the user asks for, parsed and refused whole
machine     one cluster: an embedded API server over HTTPS, and its kubeconfig
programs    a program that can be stopped and started, a link that can be cut
fleet       the hub, the agents, their controllers, joined by mutual TLS
documents   the user's own YAML, checked
yamlfile    read it
drive       the seeded workload, the cuts and the restarts
propagation how long a change takes to the other side
report      what was seen, as JSON
screen      the terminal screen
"""
