"""A fleet of real processes, and what an operating system can do to it.

The hub's and the spokes' API servers, the simulated application-controllers and the users live in this
process; principal and agents are processes of their own. Whatever goes between them, and between them and
their API servers, goes through a proxy that can spoil it.

toxics    PURE: what is wrong with a connection, and what that does to its bytes
proxy     carries connections under toxics
leash     a process that ends with its parent
program   a program that is started again when it has died, and its limits
fleet     all of it together
faults    the troubles, by name
plan      a run before it is run: troubles and actions, as JSON
run       a plan from its beginning to its judgement

Linux only: pidfd, prlimit and PR_SET_PDEATHSIG have no like elsewhere.
"""
