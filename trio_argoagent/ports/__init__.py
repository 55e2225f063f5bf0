"""The seams: what the programs need from the world, as Protocols with their values.

cluster     a Kubernetes API
transport   a way to the peer
env         wall time and randomness
"""
