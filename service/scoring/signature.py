"""Signed manifests: which files a bundle holds, their hashes, and who vouches for them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from features.fault import Fault

PRIVATE, PUBLIC = "bundle.key", "bundle.pub"


class SignatureFault(Fault):
    """A manifest that nobody trusted has signed, or that was changed since."""


def canonical(content: Mapping[str, Any]) -> bytes:
    """The one way to write a mapping down for hashing and signing: sorted keys, no spaces, UTF-8."""
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)


def sha256_of(path: Path) -> str:
    """The hash of a file's content, hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def signing_key(keys: Path) -> Ed25519PrivateKey:
    """The installation's signing key; made, readable by its owner alone, when there is none yet."""
    path = keys / PRIVATE
    if path.exists():
        key = load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise SignatureFault(f"{path}: not an Ed25519 key")
        return key
    keys.mkdir(parents=True, exist_ok=True)
    made = Ed25519PrivateKey.generate()
    written = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(written)
    public = made.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (keys / PUBLIC).write_bytes(public)
    return made


def sign(content: Mapping[str, Any], key: Ed25519PrivateKey) -> dict[str, Any]:
    """`content` with its signature."""
    return {**content, "signature": key.sign(canonical(content)).hex()}


def verify(signed: Mapping[str, Any], keys: Path) -> dict[str, Any]:
    """The content of a signed mapping; raises SignatureFault unless the installation's key signed just this."""
    content = {name: value for name, value in signed.items() if name != "signature"}
    try:
        key = load_pem_public_key((keys / PUBLIC).read_bytes())
        if not isinstance(key, Ed25519PublicKey):
            raise SignatureFault(f"{keys / PUBLIC}: not an Ed25519 key")
        key.verify(bytes.fromhex(str(signed.get("signature", ""))), canonical(content))
    except OSError as fault:
        raise SignatureFault(f"{keys / PUBLIC}: {fault.strerror}; no bundle is trusted without it") from fault
    except (InvalidSignature, ValueError) as fault:
        raise SignatureFault("the signature does not fit the content") from fault
    return content
