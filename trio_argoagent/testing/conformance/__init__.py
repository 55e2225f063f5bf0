"""A peer that asks other implementations whether they speak version 1 of the protocol (docs/protocol.md).

It plays the other end of a link, does what a peer may do and what it may not, and says what came of it, case
by case. It knows the wire and nothing else: whoever is asked may be written in any language.

talk        our end of one link, message by message
cases       what a case is, and its verdict
principals  what a principal must do;  agents  what an agent must do
"""

from trio_argoagent.testing.conformance.agents import check_agent as check_agent
from trio_argoagent.testing.conformance.cases import Case as Case
from trio_argoagent.testing.conformance.cases import Verdict as Verdict
from trio_argoagent.testing.conformance.principals import Claim as Claim
from trio_argoagent.testing.conformance.principals import check_principal as check_principal
