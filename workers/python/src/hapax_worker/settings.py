"""The settings of a worker: environment variables with the names that Hapax's other processes use."""

from __future__ import annotations

import os
import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

_RESULTS = ("both", "record")

#: ID=BASE64 of 32 bytes.
_KEY = re.compile(r"([\w.-]{1,64})=([A-Za-z0-9+/]{43}=)")


@dataclass(frozen=True)
class Settings:
    """What a worker reads from its environment."""

    temporal_address: str
    temporal_namespace: str
    temporal_api_key: str | None
    #: Contents of the files that TEMPORAL_TLS_CA, _CERT and _KEY name.
    tls_ca: bytes | None
    tls_cert: bytes | None
    tls_key: bytes | None
    #: Keys that encrypt what Temporal keeps, by id; the first one encrypts. Empty: nothing is encrypted.
    codec_keys: dict[str, bytes]
    #: Whether the app's own result back end is written to, beside Hapax's record.
    keeps_own_results: bool

    @property
    def has_tls(self) -> bool:
        """Whether the connection to Temporal is encrypted. An API key goes over TLS only."""
        return bool(self.temporal_api_key or self.tls_ca or self.tls_cert)

    @classmethod
    def from_environment(cls, env: Mapping[str, str] = os.environ) -> Settings:
        """Reads the settings. Raises SystemExit with one line where one is wrong."""
        # Files that secrets are read from end with a line end.
        env = {name: value.rstrip("\r\n") for name, value in env.items()}
        results = env.get("HAPAX_RESULTS", "both")
        if results not in _RESULTS:
            raise SystemExit(f"hapax-worker: HAPAX_RESULTS is {results!r}; it can be {' or '.join(_RESULTS)}")
        return cls(
            temporal_address=env.get("TEMPORAL_ADDRESS") or "127.0.0.1:7233",
            temporal_namespace=env.get("TEMPORAL_NAMESPACE") or "default",
            temporal_api_key=env.get("TEMPORAL_API_KEY") or None,
            tls_ca=_file(env, "TEMPORAL_TLS_CA"),
            tls_cert=_file(env, "TEMPORAL_TLS_CERT"),
            tls_key=_file(env, "TEMPORAL_TLS_KEY"),
            codec_keys=_keys(env.get("TEMPORAL_CODEC_KEYS", "")),
            keeps_own_results=results == "both",
        )


def _keys(text: str) -> dict[str, bytes]:
    pairs = [pair.strip() for pair in text.split(",") if pair.strip()]
    matches = [_KEY.fullmatch(pair) for pair in pairs]
    if not all(matches):
        raise SystemExit("hapax-worker: TEMPORAL_CODEC_KEYS must be ID=BASE64 pairs of 32 bytes, comma separated")
    if pairs and find_spec("cryptography") is None:
        raise SystemExit("hapax-worker: TEMPORAL_CODEC_KEYS needs a package: pip install 'hapax-worker[encryption]'")
    return {match[1]: b64decode(match[2]) for match in matches if match}


def _file(env: Mapping[str, str], name: str) -> bytes | None:
    path = env.get(name)
    if not path:
        return None
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise SystemExit(f"hapax-worker: {name}: {error.strerror}: {path}") from error
