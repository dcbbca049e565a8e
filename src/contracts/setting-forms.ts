import { z } from 'zod';
import { durationMs } from './duration.ts';

/** A duration in milliseconds, read from `30` (seconds), `500ms`, `30s`, `5m`, `3h` or `1d`. */
export const duration = z.string().transform((text, context) => {
  const ms = durationMs(text);
  if (ms !== undefined) return ms;
  context.addIssue({
    code: 'custom',
    message: `"${text}" is not a duration; write 30 (seconds), 500ms, 30s, 5m or 3h`,
  });
  return z.NEVER;
});

export const integer = (minimum: number, maximum: number) => {
  const message = `must be a whole number from ${minimum} to ${maximum}`;
  return z
    .string()
    .regex(/^\d+$/, message)
    .transform(Number)
    .pipe(z.number().min(minimum, message).max(maximum, message));
};

export const list = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
);
export const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' });
/** Host names and addresses as URLs write them: lower case, an address in its usual notation, here without brackets. */
export const hosts = list.transform((entries, context) =>
  entries.map((entry) => {
    const bare = entry.replace(/^\[(.*)\]$/, '$1');
    const written = `http://${bare.includes(':') ? `[${bare}]` : bare}/`;
    const url = URL.canParse(written) ? new URL(written) : undefined;
    if (url && url.href === `http://${url.hostname}/`) return url.hostname.replace(/^\[|\]$/g, '');
    context.addIssue({ code: 'custom', message: `"${entry}" is no host; write names or addresses without a port` });
    return z.NEVER;
  }),
);
