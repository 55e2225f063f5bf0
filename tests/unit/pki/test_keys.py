"""Private keys, and PEM."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from trio_argoagent.errors import UserError
from trio_argoagent.pki import keys


def test_a_key_survives_its_secret() -> None:
    """Stored as PEM and loaded again it is the same key, on the default curve."""
    key = keys.new_key()
    back = keys.load_key(keys.key_pem(key))
    assert back.public_key() == key.public_key()
    assert isinstance(key.curve, ec.SECP256R1)


def test_an_encrypted_key_is_refused_with_advice() -> None:
    """Nobody is there to type a password."""
    pem = keys.new_key().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    with pytest.raises(UserError, match="without a password"):
        keys.load_key(pem)


@pytest.mark.parametrize(
    "key",
    [
        ed25519.Ed25519PrivateKey.generate(),
        ec.generate_private_key(ec.SECP256K1()),
        rsa.generate_private_key(3, 2048),
    ],
    ids=["Ed25519", "secp256k1", "RSA-2048"],
)
def test_other_kinds_of_keys_are_refused(key: keys.PrivateKey) -> None:
    """What is weak, or what not every verifier takes, is named as such."""
    with pytest.raises(UserError, match="P-256"):
        keys.load_key(keys.key_pem(key))


def test_no_pem() -> None:
    """Text is no key and no certificate."""
    with pytest.raises(UserError, match="private key"):
        keys.load_key(b"text")
    with pytest.raises(UserError, match="certificate"):
        keys.load_certificates(b"text")


@pytest.mark.parametrize("entropy", [bytes(20), b"\xff" * 20, bytes(19) + b"\x01", b"\x80" + bytes(19)])
def test_serial_numbers_are_positive_and_fit(entropy: bytes) -> None:
    """RFC 5280: positive, at most 20 bytes with the sign."""
    assert 0 < keys.serial_number(entropy) < 2**159


def test_a_serial_number_uses_all_its_entropy() -> None:
    """Neighbouring bytes give different numbers, and a wrong length is a mistake of the caller."""
    assert keys.serial_number(b"\x01" + bytes(19)) != keys.serial_number(b"\x02" + bytes(19))
    with pytest.raises(ValueError, match="20 bytes"):
        keys.serial_number(b"short")


@pytest.mark.parametrize(
    ("algorithm", "size", "is_now"),
    [
        ("ecdsa-p256", 0, ("ECDSA", 256)),
        ("ecdsa-p384", 4096, ("ECDSA", 384)),
        ("ecdsa-p521", 0, ("ECDSA", 521)),
        ("rsa", 3072, ("RSA", 3072)),
    ],
)
def test_keys_that_are_made(algorithm: str, size: int, is_now: tuple[str, int]) -> None:
    """By argocd-agentctl's names; each is strong, is stored and loaded, and has a hash as strong."""
    key = keys.new_key(algorithm, size)
    assert keys.described(keys.load_key(keys.key_pem(key)).public_key()) == is_now
    assert keys.digest_for(key).digest_size * 8 >= min(is_now[1], 256)


@pytest.mark.parametrize(
    ("algorithm", "size", "said"),
    [
        ("ed25519", 0, "ed25519 is not taken here, because not every verifier"),
        ("rsa", 2048, "RSA keys of 2048 bits are not made: fewer than 3072 are not taken here"),
        ("rsa", 5000, "use 3072 or 4096"),
        ("dsa", 0, "'dsa' is no kind of key: use rsa, ecdsa-p256, ecdsa-p384, ecdsa-p521"),
    ],
)
def test_keys_that_are_not(algorithm: str, size: int, said: str) -> None:
    """Said before anything is made, with what to use instead."""
    with pytest.raises(UserError, match=said):
        keys.check_choice(algorithm, size)


def test_described() -> None:
    """Whatever it is."""
    assert keys.described(ed25519.Ed25519PrivateKey.generate().public_key()) == ("Ed25519", 256)
    assert keys.described(None) == ("NoneType", 0)
