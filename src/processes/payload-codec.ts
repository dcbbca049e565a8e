import { type DataConverter, METADATA_ENCODING_KEY, type Payload, type PayloadCodec } from '@temporalio/common';
import { decode, encode } from '@temporalio/common/lib/encoding.js';
import proto from '@temporalio/proto';
import type { DecodePayloads, JsonPayload } from '../api/routes/temporal-decode.ts';
import { Refusal } from '../commands/refusal.ts';
import type { Settings } from '../contracts/settings.ts';
import { decrypt, encrypt } from './aes-gcm.ts';

const { Payload: ProtoPayload } = proto.temporal.api.common.v1;

/** The encoding of an encrypted payload, as Temporal shows it. */
const ENCRYPTED = 'binary/encrypted';
const KEY_ID = 'encryption-key-id';

/** Encrypts and decrypts what Temporal stores; undefined if no keys are set. */
export function dataConverterOf({
  TEMPORAL_CODEC_KEYS: keys,
}: Pick<Settings, 'TEMPORAL_CODEC_KEYS'>): DataConverter | undefined {
  return keys && { payloadCodecs: [payloadCodec(keys)] };
}

/** Decrypts payloads in the JSON form of Temporal's protocol. Leaves readable ones as they are. */
export function payloadDecoderOf({
  TEMPORAL_CODEC_KEYS: keys = new Map(),
}: Pick<Settings, 'TEMPORAL_CODEC_KEYS'>): DecodePayloads {
  const codec = payloadCodec(keys);
  return async (payloads) => {
    const read = payloads.map((payload) => ProtoPayload.fromObject(payload));
    try {
      return (await codec.decode(read)).map(toJson);
    } catch (error) {
      const detail =
        error instanceof UnknownKey
          ? error.message
          : 'a payload was changed, or encrypted with another key of the same id';
      throw new Refusal('unprocessable_payloads', { detail });
    }
  };
}

function toJson({ metadata, data }: Payload): JsonPayload {
  const base64 = (bytes: Uint8Array | null | undefined) => Buffer.from(bytes ?? []).toString('base64');
  const entries = Object.entries(metadata ?? {}).map(([name, value]) => [name, base64(value)]);
  return { metadata: Object.fromEntries(entries), data: base64(data) };
}

/**
 * Encrypts payloads with AES-256-GCM, each with its own nonce: nonce, ciphertext, tag. The id of the key is authenticated
 * and stored with the payload, so that keys can be replaced. Payloads from before there was a key are read as they are.
 * @param keys by id, 32 bytes each. The first one encrypts, and all decrypt.
 */
export function payloadCodec(keys: ReadonlyMap<string, Buffer>): PayloadCodec {
  const [[ownId, ownKey] = []] = keys;
  return {
    async encode(payloads) {
      return payloads.map((payload) => {
        const data = encrypt(ownKey!, ProtoPayload.encode(payload).finish(), ownId!);
        return { metadata: { [METADATA_ENCODING_KEY]: encode(ENCRYPTED), [KEY_ID]: encode(ownId!) }, data };
      });
    },
    async decode(payloads) {
      return payloads.map((payload) => (isEncrypted(payload) ? decrypted(keys, payload) : payload));
    },
  };
}

class UnknownKey extends Error {
  constructor(id: string) {
    super(`a payload in Temporal is encrypted with the key ${id}, which TEMPORAL_CODEC_KEYS does not name`);
  }
}

function isEncrypted({ metadata }: Payload): boolean {
  const encoding = metadata?.[METADATA_ENCODING_KEY];
  return encoding !== undefined && encoding !== null && decode(encoding) === ENCRYPTED;
}

function decrypted(keys: ReadonlyMap<string, Buffer>, { metadata, data }: Payload): Payload {
  const id = decode(metadata?.[KEY_ID] ?? new Uint8Array());
  const key = keys.get(id);
  if (!key) throw new UnknownKey(id);
  return ProtoPayload.decode(decrypt(key, Buffer.from(data ?? []), id));
}
