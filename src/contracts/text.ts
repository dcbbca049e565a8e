import { z } from 'zod';

/**
 * Returns a schema of text that every store on the way can hold: well-formed Unicode without NUL. Postgres refuses U+0000 and lone
 * surrogates in jsonb, so Hapax refuses both when a request arrives.
 */
export const text = (maximum: number) =>
  z
    .string()
    .max(maximum)
    .refine(
      (value) => !value.includes('\u0000') && value.isWellFormed(),
      'must be well-formed text without NUL characters',
    );

/** Returns a schema of text with a maximum of bytes in UTF-8, which is how AMQP, Redis and Temporal count. */
export const textOfBytes = (maximum: number) =>
  text(maximum).refine(
    (value) => value.isWellFormed() && utf8Bytes(value) <= maximum,
    `must have at most ${maximum} bytes as UTF-8`,
  );

function utf8Bytes(text: string): number {
  return encodeURIComponent(text).replaceAll(/%[0-9A-F]{2}/g, '.').length;
}
