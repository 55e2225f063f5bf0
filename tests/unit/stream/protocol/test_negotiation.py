"""What two sides of a link agree on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from trio_argoagent.errors import RemoteProtocolError
from trio_argoagent.stream.protocol import codec
from trio_argoagent.stream.protocol import messages as m
from trio_argoagent.stream.protocol.negotiation import (
    NEWEST,
    OLDER,
    OURS,
    Capability,
    Offer,
    Terms,
    accept,
    agree,
    names,
    spoken,
)

from .vocabulary import EXAMPLES

HELLO = EXAMPLES["hello"]
WELCOME = EXAMPLES["welcome"]
assert isinstance(HELLO, m.Hello)
assert isinstance(WELCOME, m.Welcome)


def hello(protocols: tuple[int, int], *capabilities: str) -> m.Hello:
    """An agent that can do this."""
    assert isinstance(HELLO, m.Hello)
    return structs.replace(HELLO, protocols=protocols, capabilities=capabilities)


def welcome(protocol: int, *capabilities: str) -> m.Welcome:
    """A principal that has chosen this."""
    assert isinstance(WELCOME, m.Welcome)
    return structs.replace(WELCOME, protocol=protocol, capabilities=capabilities)


@pytest.mark.parametrize(
    ("theirs", "ours", "chosen"),
    [((1, 1), (1, 1), 1), ((1, 3), (2, 5), 3), ((2, 5), (1, 3), 3), ((1, 9), (4, 4), 4), ((3, 3), (1, 3), 3)],
)
def test_the_newest_common_version(theirs: tuple[int, int], ours: tuple[int, int], chosen: int) -> None:
    """Ranges that overlap agree on the newest version of both."""
    assert agree(hello(theirs), Offer(ours)) == Terms(chosen)


@pytest.mark.parametrize(
    ("theirs", "ours", "text"),
    [
        ((1, 2), (3, 4), "the agent speaks protocol 1 to 2, the principal 3 to 4: upgrade the agent"),
        ((5, 5), (3, 4), "the agent speaks protocol 5, the principal 3 to 4: upgrade the principal"),
    ],
)
def test_no_common_version(theirs: tuple[int, int], ours: tuple[int, int], text: str) -> None:
    """The refusal names both ranges and who has to be upgraded."""
    assert agree(hello(theirs), Offer(ours)) == m.Refuse(m.Reason.VERSION, text)


@pytest.mark.parametrize("ours", range(1, 8))
@pytest.mark.parametrize("theirs", range(1, 8))
def test_neighbours_interoperate(theirs: int, ours: int) -> None:
    """Whoever speaks N also speaks N-1 and N-2, and no more: either side may be upgraded first."""
    terms = agree(hello(spoken(theirs)), Offer(spoken(ours)))
    if abs(theirs - ours) <= OLDER:
        assert terms == Terms(min(theirs, ours))
        assert accept(welcome(min(theirs, ours)), Offer(spoken(theirs))) == terms
    else:
        assert isinstance(terms, m.Refuse)


def test_this_software_speaks_its_newest_version() -> None:
    """And what it says that it can do, it names once."""
    assert OURS.protocols == spoken(NEWEST)
    assert len(OURS.capabilities) == len({*OURS.capabilities})


def test_a_version_that_nobody_offered() -> None:
    """The principal chooses among what the agent speaks."""
    with pytest.raises(RemoteProtocolError, match="the principal chose protocol 3, we offered 1 to 2"):
        accept(welcome(3), Offer((1, 2)))


@given(
    st.lists(st.sampled_from(Capability), unique=True), st.lists(st.sampled_from(Capability), unique=True)
)
def test_what_both_can_do(theirs: list[Capability], ours: list[Capability]) -> None:
    """Both sides come to the same terms, in one order; what only one can do is not in them."""
    offer, mine = Offer((1, 2), tuple(theirs)), Offer((1, 1), tuple(ours))
    said = codec.decode(codec.encode(hello(offer.protocols, *names(offer.capabilities), "of-tomorrow")))
    assert isinstance(said, m.Hello)
    terms = agree(said, mine)
    assert isinstance(terms, Terms)
    answer = codec.decode(codec.encode(welcome(terms.protocol, *names(terms.capabilities), "unheard-of")))
    assert isinstance(answer, m.Welcome)
    assert accept(answer, offer) == terms
    for capability in Capability:
        assert terms.has(capability) == (capability in theirs and capability in ours)


def test_an_offer_without() -> None:
    """A capability is taken back by its name; the others stay in their order."""
    offer = Offer((1, 1), tuple(Capability))
    left = offer.without(Capability.PREFIX, Capability.TUNNEL)
    assert left == Offer((1, 1), (Capability.ZSTD, Capability.PARTS, Capability.HYDRATE))
