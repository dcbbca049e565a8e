"""Encrypts what Temporal keeps, as Hapax's other processes do: AES-256-GCM, with the id of the key beside it.

The data of a payload is the nonce, then the ciphertext with its tag. The id of the key is authenticated. Payloads that were written
before there was a key are read as they are.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

_ENCRYPTED = b"binary/encrypted"
_NONCE_BYTES = 12


class EncryptionCodec(PayloadCodec):
    """keys: by id, 32 bytes each. The first one encrypts, and all decrypt."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = keys
        self._own_id = next(iter(keys))

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [self._encrypt(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [self._decrypt(one) if one.metadata.get("encoding") == _ENCRYPTED else one for one in payloads]

    def _encrypt(self, payload: Payload) -> Payload:
        key_id, nonce = self._own_id.encode(), os.urandom(_NONCE_BYTES)
        sealed = AESGCM(self._keys[self._own_id]).encrypt(nonce, payload.SerializeToString(), key_id)
        return Payload(metadata={"encoding": _ENCRYPTED, "encryption-key-id": key_id}, data=nonce + sealed)

    def _decrypt(self, payload: Payload) -> Payload:
        key_id = payload.metadata["encryption-key-id"]
        key = self._keys.get(key_id.decode())
        if key is None:
            message = f"a payload is encrypted with the key {key_id.decode()}, which TEMPORAL_CODEC_KEYS does not name"
            raise ValueError(message)
        nonce, sealed = payload.data[:_NONCE_BYTES], payload.data[_NONCE_BYTES:]
        return Payload.FromString(AESGCM(key).decrypt(nonce, sealed, key_id))
