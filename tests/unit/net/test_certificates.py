"""What a verified chain says is read once for the same bytes, and judged anew each time."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import pytest

from trio_argoagent.net import certificates
from trio_argoagent.net.certificates import REMEMBERED, USUAL, Facts, Standing, facts, standing

from .identities import Authority


def der(pem: bytes) -> bytes:
    """The one certificate in it."""
    return ssl.PEM_cert_to_DER_cert(pem.decode())


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """What has been read in this test, which begins with nothing remembered."""
    seen: list[bytes] = []

    def counted(each: bytes) -> Facts | None:
        seen.append(each)
        return facts(each)

    monkeypatch.setattr(certificates, "facts", counted)
    certificates._remembered.cache_clear()
    yield seen
    certificates._remembered.cache_clear()


def test_who_comes_back_is_not_read_again(authority: Authority, read: list[bytes]) -> None:
    """Two agents of one CA, each twice: three certificates."""
    root = der(authority.certificate)
    agents = [der(authority.issue(name).certificate) for name in ("a", "b")]
    first, again = ([standing((leaf, root)) for leaf in agents] for _ in range(2))
    assert first == again and read == [agents[0], root, agents[1]]
    known = facts(root)
    assert known is not None and first[0] == Standing(known.not_after, known.anchor, False, known.issued)


def test_another_byte_is_another_certificate(authority: Authority, read: list[bytes]) -> None:
    """One that is almost the same is read itself, and one that cannot be read has expired each time."""
    leaf = der(authority.issue("a").certificate)
    assert standing((leaf,)).expires > 0
    for _ in range(2):
        assert standing((leaf[:-1],)) == Standing(expires=0.0)
        assert standing((leaf, leaf[:-1])) == Standing(expires=0.0)
    assert read == [leaf, leaf[:-1]]


def test_what_is_remembered_is_bounded(authority: Authority, read: list[bytes]) -> None:
    """So many, and none that is long: strange ones are read each time."""
    for number in range(REMEMBERED + 10):
        standing((number.to_bytes(4),))
    assert certificates._remembered.cache_info().currsize == REMEMBERED
    read.clear()
    for _ in range(2):
        standing((bytes(USUAL + 1),))
    assert len(read) == 2
