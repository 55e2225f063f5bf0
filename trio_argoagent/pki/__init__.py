"""Certificates: bytes in, bytes out. Time, serial numbers and keys are arguments.

names      who a certificate is for: an agent's name in subject and URI, a server's hosts
authority  a certificate authority that issues for servers and agents
keys       private keys and PEM
signing    the key that argocd-agent's principal signs tokens with
bundles    the roots that somebody trusts
inspection what a certificate says, and what is wrong with it
rotation   how one root takes over from another
following  what an agent makes of that

Loaded by whoever issues or judges certificates, and slow to import: import it where it is used.
"""
