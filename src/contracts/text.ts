import { z } from 'zod';

/**
 * Text that every store on the way can hold: well-formed Unicode without NUL. Postgres refuses U+0000 and lone
 * surrogates in jsonb, so both are refused at the door instead.
 */
export const text = (maximum: number) =>
  z
    .string()
    .max(maximum)
    .refine(
      (value) => !value.includes('\u0000') && value.isWellFormed(),
      'must be well-formed text without NUL characters',
    );
