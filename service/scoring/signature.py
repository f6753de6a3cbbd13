"""Signed manifests: the files of a bundle, their hashes, and a signature over both."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

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
from service.canonical import canonical

PRIVATE, PUBLIC = "bundle.key", "bundle.pub"


class SignatureFault(Fault):
    """A manifest without a trusted signature, or one that was changed after signing."""


def sha256_of(path: Path) -> str:
    """Return the hash of a file's content, hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def signing_key(keys: Path) -> Ed25519PrivateKey:
    """Return the installation's signing key; created, readable by its owner only, if there is none yet."""
    path = keys / PRIVATE
    if path.exists():
        key = load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise SignatureFault(f"{path}: not an Ed25519 key")
        return key
    keys.mkdir(parents=True, exist_ok=True)
    key = Ed25519PrivateKey.generate()
    written = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    temporary = keys / f".{PRIVATE}.{os.getpid()}"
    temporary.unlink(missing_ok=True)  # of a process that died over it
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(written)
    try:
        os.link(temporary, path)
    except FileExistsError:  # another process was faster: its key is the one
        return signing_key(keys)
    finally:
        temporary.unlink()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (keys / PUBLIC).write_bytes(public)
    return key


def sign(content: Mapping[str, Any], key: Ed25519PrivateKey) -> dict[str, Any]:
    """Return `content` with its signature."""
    return {**content, "signature": key.sign(canonical(content)).hex()}


def verify(signed: Mapping[str, Any], keys: Path) -> dict[str, Any]:
    """Return the content of a signed mapping; raises SignatureFault unless the installation's key signed it."""
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
