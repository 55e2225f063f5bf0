"""What an agent makes of what the hub says of its authorities: over a link, for which a root vouches that the
agent trusts already.

Roots are added as they come. They are taken away only when the hub drops them, by name, and never all.
"""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509

from trio_argoagent.errors import UserError
from trio_argoagent.pki import keys
from trio_argoagent.pki.bundles import Bundle


def followed(before: bytes, said: bytes, dropped: Sequence[str]) -> bytes:
    """The CA bundle from now on, PEM; the same bytes as before if nothing changes.

    Args:
        before: that is trusted now.
        said: the hub's authorities, PEM.
        dropped: fingerprints of those that are to be trusted no more.

    Raises:
        UserError: what the hub says cannot be followed; says why.
    """
    ours, theirs = Bundle.read(before), Bundle.read(said)
    for each in theirs.roots:
        if each not in ours.roots and not _is_strong(each):
            raise UserError(f"the key of the root {each.subject.rfc4514_string()} is too weak")
    if any(name in theirs.fingerprints for name in dropped):
        raise UserError("a root is both to be trusted and to be dropped")
    after = ours.merged(theirs)
    for name in dropped:
        after = after.without(name)
    return before if after == ours else after.pem


def _is_strong(root: x509.Certificate) -> bool:
    try:
        return keys.strong(root.public_key())
    except keys.UNREADABLE:
        return False
