"""What must hold at every write, judged from the API servers' logs alone.

The product is not asked: what it thinks of itself could be wrong in the same way as what it does. Each write
is looked at from within its commit, when the state of every cluster is the one that it met.

===  ======================================================================================================
I1   a marker that is written names an object that the source had, in a value that it had by then; a status
     on the hub is one that the spoke had
I2   neither goes back on one copy, and nor does the marker's ``asof``
I3   a copy is deleted only if its source is gone, on its way out, or not replicated (any more)
I3b  a hub object is let go (its finalizers are stripped) only when its spoke has no copy of it
I4   what goes without having been seen to go, or confirmed, stays within the budget of ten minutes
I5   a record is answered ``applied`` only when the cluster has held just that
I6   one live link per agent
I7   an intent is started at most once on one copy (who deletes a copy deletes what it remembers)
I8   the principal and an agent write, and send, nothing outside that agent's scope
I9   counters: every record that was sent is accounted for
I10  what is remembered is bounded by what there is
I11  what the other side owns is not touched (but for requests, status, and leaving)
I12  what is refused is seen on its object within seconds, and no longer than it is refused
I13  a copy that was deleted because its source had gone is not created again from what was before that
I14  what an agent writes as credentials, it may have, or might have had a moment before
I15  no agent is struck or banned: cuts, silence, crashes and restarts are nobody's misbehaviour
L3   a request on the hub is never removed before its intent was started or answered
L4   at rest, what a feed is proven as of has passed every version that there is
W1   a workload is pruned only if the Application was deleted with cascade where it is owned, or by a user
===  ======================================================================================================
"""

from __future__ import annotations

from trio_argoagent.testing.monitors.watching import Monitors

__all__ = ["Monitors"]
