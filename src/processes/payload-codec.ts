import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { type DataConverter, METADATA_ENCODING_KEY, type Payload, type PayloadCodec } from '@temporalio/common';
import { decode, encode } from '@temporalio/common/lib/encoding.js';
import proto from '@temporalio/proto';
import type { DecodePayloads, JsonPayload } from '../api/routes/temporal-decode.ts';
import { Refusal } from '../commands/refusal.ts';
import type { Settings } from '../contracts/settings.ts';

const { Payload: ProtoPayload } = proto.temporal.api.common.v1;

/** What Temporal shows as the encoding of an encrypted payload. */
const ENCRYPTED = 'binary/encrypted';
const KEY_ID = 'encryption-key-id';
const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Encrypts and decrypts what Temporal keeps; undefined where no keys are set. */
export function dataConverterOf({
  TEMPORAL_CODEC_KEYS: keys,
}: Pick<Settings, 'TEMPORAL_CODEC_KEYS'>): DataConverter | undefined {
  return keys && { payloadCodecs: [payloadCodec(keys)] };
}

/** Decrypts payloads in the JSON form of Temporal's protocol; those that are readable stay as they are. */
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
 * Encrypts payloads with AES-256-GCM, each with a nonce of its own: nonce, ciphertext, tag. The id of the key is authenticated
 * and stands beside it, so that keys can be replaced. Payloads that were written before there was a key are read as they are.
 * @param keys by id, 32 bytes each. The first one encrypts, and all decrypt.
 */
export function payloadCodec(keys: ReadonlyMap<string, Buffer>): PayloadCodec {
  const [[ownId, ownKey] = []] = keys;
  return {
    async encode(payloads) {
      return payloads.map((payload) => {
        const nonce = randomBytes(NONCE_BYTES);
        const cipher = createCipheriv(CIPHER, ownKey!, nonce).setAAD(Buffer.from(ownId!));
        const plain = ProtoPayload.encode(payload).finish();
        const data = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
        return { metadata: { [METADATA_ENCODING_KEY]: encode(ENCRYPTED), [KEY_ID]: encode(ownId!) }, data };
      });
    },
    async decode(payloads) {
      return payloads.map((payload) => (isEncrypted(payload) ? decrypt(keys, payload) : payload));
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

function decrypt(keys: ReadonlyMap<string, Buffer>, { metadata, data }: Payload): Payload {
  const id = decode(metadata?.[KEY_ID] ?? new Uint8Array());
  const key = keys.get(id);
  if (!key) throw new UnknownKey(id);
  const bytes = Buffer.from(data ?? []);
  const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES)).setAAD(Buffer.from(id));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  const plain = Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
  return ProtoPayload.decode(plain);
}
