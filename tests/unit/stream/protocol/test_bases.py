"""Which bodies later ones may refer to."""

import random

from hypothesis import given
from hypothesis import strategies as st

from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.stream.protocol.bases import NEAR, Bases, Pool
from trio_argoagent.stream.protocol.payload import SHORT, Encoding, Packed, pack

KEYS = [Key(Kind.STATUS, "argocd", name) for name in "abcdef"]
LONG = SHORT + 1


def plainly(bases: Bases, key: Key, number: int, body: bytes) -> int:
    """A body has travelled as it is."""
    return bases.travelled(key, number, Packed(Encoding.PLAIN, body), body)


def referring(bases: Bases, key: Key, number: int, body: bytes, size: int) -> int:
    """A body has travelled as what it differs by from another one, in so many bytes."""
    return bases.travelled(key, number, Packed(Encoding.PREFIX, bytes(size)), body)


def held(bases: Bases) -> list[tuple[Key, int, bytes]]:
    """All that may be referred to, in the order of its use."""
    return [(key, base.number, base.body) for key, base in bases._bases.items()]


def test_the_last_of_each_key() -> None:
    """A body may be referred to until a later one takes its place."""
    bases = Bases()
    plainly(bases, KEYS[0], 1, b"a" * LONG)
    plainly(bases, KEYS[1], 2, b"b" * LONG)
    plainly(bases, KEYS[0], 3, b"c" * LONG)
    assert held(bases) == [(KEYS[1], 2, b"b" * LONG), (KEYS[0], 3, b"c" * LONG)]
    assert bases.size == 2 * LONG
    bases.drop(KEYS[0])
    bases.drop(KEYS[0])
    assert held(bases) == [(KEYS[1], 2, b"b" * LONG)]
    assert bases.size == LONG


def test_what_is_near_its_base_does_not_replace_it() -> None:
    """As long as referring costs next to nothing, nobody has to pack the body anew."""
    bases = Bases()
    plainly(bases, KEYS[0], 1, b"a" * LONG)
    referring(bases, KEYS[0], 2, b"b" * LONG, NEAR)
    assert held(bases) == [(KEYS[0], 1, b"a" * LONG)]
    referring(bases, KEYS[0], 3, b"c" * LONG, NEAR + 1)
    assert held(bases) == [(KEYS[0], 3, b"c" * LONG)]
    assert bases.size == len(pack(b"c" * LONG).data)


def test_short_ones_are_not_kept() -> None:
    """They go as they are; what stood under their key is out of date."""
    bases = Bases()
    plainly(bases, KEYS[0], 1, b"a" * LONG)
    plainly(bases, KEYS[0], 2, b"b" * SHORT)
    assert (held(bases), bases.size) == ([], 0)


def test_what_was_not_used_for_longest_goes_first() -> None:
    """The budget is in bytes as they travelled; what goes for others is counted."""
    bases, long = Bases(3 * LONG), b"x" * LONG
    assert [plainly(bases, key, 1, long) for key in KEYS[:3]] == [0, 0, 0]
    assert bases.find(KEYS[0]) is not None
    assert plainly(bases, KEYS[3], 1, long) == 1
    assert [key for key, _, _ in held(bases)] == [KEYS[2], KEYS[0], KEYS[3]]
    assert plainly(bases, KEYS[4], 1, 3 * long) == 3
    assert plainly(bases, KEYS[5], 1, 3 * long + b"x") == 0
    assert [bases.find(key) is not None for key in KEYS] == [False] * 4 + [True, False]


STEPS = st.tuples(
    st.sampled_from([plainly, referring, Bases.find, Bases.drop]), st.sampled_from(KEYS), st.integers(0, 2000)
)


@given(st.lists(STEPS, max_size=60), st.integers(0, 4000))
def test_two_ends_that_do_the_same_hold_the_same(steps: list[tuple[object, Key, int]], budget: int) -> None:
    """Neither ever holds more than its budget, and what it counts is what it holds."""
    ends = Bases(budget), Bases(budget)
    for number, (what, key, size) in enumerate(steps, 1):
        body = random.Random(size).randbytes(size)
        for bases in ends:
            if what is plainly:
                plainly(bases, key, number, body)
            elif what is referring:
                referring(bases, key, number, body, size // 8)
            else:
                what(bases, key)  # type: ignore[operator]
            assert bases.size == sum(len(base.packed.data) for base in bases._bases.values()) <= budget
    assert held(ends[0]) == held(ends[1])


def test_links_share_a_pool() -> None:
    """Together they keep no more than it allows; who keeps most gives up first."""
    pool = Pool(6 * LONG)
    much, little, next_one = Bases(pool=pool), Bases(pool=pool), Bases(pool=pool)
    for number, key in enumerate(KEYS[:5]):
        plainly(much, key, number, b"a" * LONG)
    plainly(little, KEYS[0], 1, b"b" * LONG)
    plainly(next_one, KEYS[0], 1, b"c" * LONG)
    assert pool.size == 6 * LONG
    assert [key for key, _, _ in held(much)] == KEYS[1:5]
    assert len(little) == len(next_one) == 1
    much.clear()
    assert len(much) == much.size == 0
    assert pool.size == 2 * LONG
    for number, key in enumerate(KEYS[:4]):
        plainly(next_one, key, number, b"d" * LONG)
    assert len(little) == 1 and len(next_one) == 4


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(KEYS), st.integers(0, 4))))
def test_a_pool_counts_what_its_links_keep(steps: list[tuple[int, Key, int]]) -> None:
    """Whatever they do, and never more than it allows."""
    pool = Pool(5 * LONG)
    links = [Bases(pool=pool) for _ in range(3)]
    for which, key, size in steps:
        if size:
            plainly(links[which], key, 1, b"a" * (LONG + size))
        else:
            links[which].clear()
        assert pool.size == sum(bases.size for bases in links) <= 5 * LONG
