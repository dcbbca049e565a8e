"""The connection to Temporal."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

from temporalio.client import Client
from temporalio.converter import DataConverter
from temporalio.service import TLSConfig

from hapax_worker.settings import Settings

log = logging.getLogger(__name__)

#: Pause between two attempts to connect, seconds.
_AGAIN_S = 2

async def connect(settings: Settings, identity: str) -> Client:
    """Connects, as soon as Temporal answers. identity: what Temporal shows of this worker."""
    tls = TLSConfig(
        server_root_ca_cert=settings.tls_ca,
        client_cert=settings.tls_cert,
        client_private_key=settings.tls_key,
    )
    while True:
        try:
            return await Client.connect(
                settings.temporal_address,
                namespace=settings.temporal_namespace,
                api_key=settings.temporal_api_key,
                tls=tls if settings.has_tls else False,
                identity=identity,
                data_converter=_converter(settings),
            )
        except RuntimeError as error:
            log.warning("Temporal at %s does not answer: %s", settings.temporal_address, error)
            await asyncio.sleep(_AGAIN_S)


def _converter(settings: Settings) -> DataConverter:
    """JSON, as Hapax's other processes have it, encrypted where there are keys. A store for large payloads goes here, too."""
    if not settings.codec_keys:
        return DataConverter.default
    from hapax_worker.poller.encryption import EncryptionCodec

    return replace(DataConverter.default, payload_codec=EncryptionCodec(settings.codec_keys))
