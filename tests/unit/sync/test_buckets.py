"""The hash both sides compare."""

from __future__ import annotations

import hashlib

from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.records import Holding
from trio_argoagent.sync.buckets import COUNT, HASH_BYTES, Buckets, bucket_of

_MANY = [Key(Kind.APPLICATION, "argocd", f"app-{n}") for n in range(2_000)]
# Several keys to a bucket: there the order in which they came must not count.
KEYS = [_MANY[0], *[key for key in _MANY if bucket_of(key) < 2]]
MAPS = st.dictionaries(
    st.sampled_from(KEYS), st.builds(Holding, st.sampled_from("uv"), st.sampled_from("DE"))
)


def filled(held: dict[Key, Holding]) -> Buckets:
    """A map with these entries."""
    made = Buckets()
    for key, holding in held.items():
        made.set(key, holding)
    return made


def test_the_empty_map_has_a_known_root() -> None:
    """Zeros for each bucket: two programs of different versions must agree on it."""
    assert Buckets().hashes() == bytes(COUNT * HASH_BYTES)
    assert Buckets().root() == hashlib.sha256(bytes(2048)).digest()


def test_the_hashes_are_those_of_other_versions() -> None:
    """The wire format: change it only with a new scheme."""
    made = filled({KEYS[0]: Holding("u1", "D1")})
    assert bucket_of(KEYS[0]) == hashlib.sha256(b"Application/argocd/app-0").digest()[0]
    leaf = hashlib.sha256(b"Application/argocd/app-0\0u1\0D1").digest()[:16]
    index = bucket_of(KEYS[0])
    span = made.hashes()[index * HASH_BYTES : (index + 1) * HASH_BYTES]
    assert span == hashlib.sha256(leaf).digest()[:HASH_BYTES]


@settings(deadline=None)
@given(MAPS, MAPS)
def test_equal_maps_have_equal_roots_whatever_their_history(
    first: dict[Key, Holding], second: dict[Key, Holding]
) -> None:
    """Order and detours do not count; a difference of one field does, and its buckets are named."""
    made = filled(first)
    made.root()
    for key in KEYS:
        assert made.set(key, second.get(key)) is (first.get(key) != second.get(key))
    other = filled(dict(reversed(second.items())))
    assert made.root() == other.root() and len(made) == len(second) and set(made) == set(second)
    assert made.listing(range(COUNT)) == tuple(sorted(second.items(), key=lambda entry: entry[0]))
    differing = {bucket_of(key) for key in KEYS if first.get(key) != second.get(key)}
    assert set(filled(first).differing(made.hashes())) == differing
    assert (filled(first).root() == made.root()) is (first == second)


def test_get_tells_what_stands() -> None:
    """Or None."""
    made = filled({KEYS[0]: Holding("u1", "D1")})
    assert made.get(KEYS[0]) == Holding("u1", "D1") and made.get(KEYS[1]) is None


@settings(deadline=None)
@given(MAPS, MAPS)
def test_kinds_are_counted_as_they_come_and_go(first: dict[Key, Holding], second: dict[Key, Holding]) -> None:
    """Each for itself, without looking at the entries."""
    projects = {Key(Kind.APP_PROJECT, key.namespace, key.name): held for key, held in second.items()}
    made = filled(first | projects)
    assert (made.count(Kind.APPLICATION), made.count(Kind.APP_PROJECT)) == (len(first), len(second))
    for key in first:
        made.set(key, None)
    assert made.count(Kind.APPLICATION) == 0 and len(made) == made.count(Kind.APP_PROJECT) == len(second)
