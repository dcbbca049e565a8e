import { z } from 'zod';
import { durationMs } from './duration.ts';

/** Longest duration in a setting: ten years. Anything longer is a mistake, and no timer waits that long. */
const LONGEST_MS = 3_650 * 86_400_000;

/**
 * Returns a schema of a duration such as `30` (seconds), `500ms`, `30s`, `5m`, `3h` or `1d`, which it parses to milliseconds.
 * @param leastMs default 0. @param mostMs default ten years.
 */
export const duration = (leastMs = 0, mostMs = LONGEST_MS) =>
  z.string().transform((text, context) => {
    const ms = durationMs(text);
    if (ms !== undefined && ms >= leastMs && ms <= mostMs) return ms;
    const message =
      ms === undefined
        ? `"${text}" is not a duration; write 30 (seconds), 500ms, 30s, 5m or 3h`
        : `must be from ${shown(leastMs)} to ${shown(mostMs)}`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });

function shown(ms: number): string {
  const units = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1_000],
  ] as const;
  const fits = units.find(([, size]) => ms > 0 && ms % size === 0);
  return fits ? `${ms / fits[1]}${fits[0]}` : `${ms}ms`;
}

export const integer = (minimum: number, maximum: number) => {
  const message = `must be a whole number from ${minimum} to ${maximum}`;
  return z
    .string()
    .regex(/^\d+$/, message)
    .transform(Number)
    .pipe(z.number().min(minimum, message).max(maximum, message));
};

/** A comma-separated list. An empty list is a mistake, since an empty variable counts as unset. */
export const list = z.string().transform((text, context) => {
  const parts = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  if (parts.length > 0) return parts;
  context.addIssue({ code: 'custom', message: 'names nothing; leave the variable out' });
  return z.NEVER;
});

/** A word that an HTTP header carries. */
export const headerSecret = z.string().regex(/^[\x21-\x7e]+$/, 'must be printable ASCII without spaces and line ends');

/** Fewest characters of a secret of webhooks. A shorter one is a mistake, such as a part of a secret with a comma in it. */
export const LEAST_WEBHOOK_SECRET = 8;

/** Secrets of webhooks, comma separated. */
export const webhookSecrets = list.refine(
  (secrets) => secrets.every((secret) => secret.length >= LEAST_WEBHOOK_SECRET),
  `must have ${LEAST_WEBHOOK_SECRET} characters or more in each secret; a comma begins another one`,
);

/** Address to bind to. */
export const bindAddress = z.string().refine((text) => {
  const url = URL.parse(`http://${text.includes(':') ? `[${text}]` : text}/`);
  return url !== null && url.href === `http://${url.host}/` && url.port === '';
}, 'must be an address or a host name without scheme and port, for example 127.0.0.1');

/** Ports that `fetch` never connects to (Fetch Standard, "port blocking"). */
const BLOCKED_PORTS = new Set([
  0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110,
  111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532,
  540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061,
  6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10_080,
]);

/**
 * Returns a schema of the root of an HTTP API: a URL that paths are appended to, so slashes at its end are removed. It refuses URLs that
 * could never work. No fault repeats the value, which may contain a password.
 * @param options.userinfo what happens to `USER:PASSWORD@`. Default `refused`; `used` is for clients that send it as basic authentication.
 */
export const baseUrl = ({ userinfo = 'refused' }: { userinfo?: 'used' | 'refused' } = {}) =>
  z.string().transform((text, context) => {
    const fault = baseUrlFault(text, userinfo);
    if (fault === undefined) return new URL(text).href.replace(/\/+$/, '');
    context.addIssue({ code: 'custom', message: fault });
    return z.NEVER;
  });

/** Returns what is wrong with a base URL; undefined if nothing is. */
export function baseUrlFault(text: string, userinfo: 'used' | 'refused'): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) return 'must be an http:// or https:// URL';
  // A `?` or `#` with nothing after it is not in url.search or url.hash.
  if (/[?#]/.test(url.href)) return 'must end with its path; remove the query (?) or fragment (#)';
  if (BLOCKED_PORTS.has(Number(url.port || '-1'))) return `must have another port; fetch refuses ${url.port}`;
  const given = `${url.username}${url.password}`;
  if (given === '') return undefined;
  if (userinfo === 'refused') return 'must have no user or password; they would not be used';
  return isDecodable(given) ? undefined : 'must have its user and password escaped: % is written %25';
}

/** Says whether all of a part of a URL can be decoded. */
export function isDecodable(escaped: string): boolean {
  try {
    decodeURIComponent(escaped);
    return true;
  } catch {
    return false;
  }
}

/**
 * Returns a schema of the URL of a server that does not speak HTTP.
 * @param form.names its schemes, as a fault names them.
 * @param form.faultOf returns what the server's client would refuse or ignore.
 */
function serverUrl(form: { schemes: RegExp; names: string; example: string; faultOf?(url: URL): string | undefined }) {
  return z.string().superRefine((text, context) => {
    const fault = serverUrlFault(text, form);
    if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
  });
}

function serverUrlFault(text: string, form: Parameters<typeof serverUrl>[0]): string | undefined {
  if (!form.schemes.test(text)) return `must begin with ${form.names}`;
  // A database may have several hosts; URL refuses the comma.
  const ofOneHost = text.replace(/^(\w+:\/\/(?:[^/?]*@)?[^,/?]*),[^/?]*/, '$1');
  const url = URL.canParse(ofOneHost) ? new URL(ofOneHost) : undefined;
  const isSound = url && url.port !== '0' && !text.includes('#') && isDecodable(text);
  return isSound ? form.faultOf?.(url) : `is no URL; write ${form.example}, special characters escaped`;
}

/** A URL as postgres.js reads it. It may name several hosts. The server checks the options in its query. */
export const postgresUrl = serverUrl({
  schemes: /^postgres(ql)?:\/\//,
  names: 'postgres:// or postgresql://',
  example: 'postgres://USER:PASSWORD@HOST:5432/DATABASE',
});

/** Options that amqplib reads in the query of a URL. */
const AMQP_OPTIONS = ['heartbeat', 'channelMax', 'frameMax', 'locale'];

export const amqpUrl = serverUrl({
  schemes: /^amqps?:\/\//,
  names: 'amqp:// or amqps://',
  example: 'amqp://USER:PASSWORD@HOST:5672/VHOST',
  faultOf: ({ searchParams }) =>
    [...searchParams.keys()].every((option) => AMQP_OPTIONS.includes(option))
      ? undefined
      : `has an option that is not used; after ? only ${AMQP_OPTIONS.join(', ')} are`,
});

/** Options that Celery requires and reads in the query of a rediss:// URL. */
const REDIS_OPTIONS = ['ssl_cert_reqs', 'ssl_ca_certs', 'ssl_certfile', 'ssl_keyfile'];

export const redisUrl = serverUrl({
  schemes: /^rediss?:\/\//,
  names: 'redis:// or rediss://',
  example: 'redis://USER:PASSWORD@HOST:6379/0',
  faultOf({ protocol, pathname, searchParams }) {
    if (!/^\/?\d*$/.test(pathname)) return 'must end with the number of a database, for example /0';
    const options = [...searchParams];
    if (options.some(([name]) => protocol !== 'rediss:' || !REDIS_OPTIONS.includes(name))) {
      return `has options after ? that are not used; only ${REDIS_OPTIONS.join(', ')} are, with rediss://`;
    }
    const sound = options.every(([name, value]) =>
      name === 'ssl_cert_reqs' ? /^(CERT_)?(required|optional|none)$/i.test(value) : value !== '',
    );
    return sound
      ? undefined
      : 'has an option after ? without a value that Celery knows; ssl_cert_reqs is required or none';
  },
});

/** Host names and addresses as URLs write them: lower case, and addresses in their usual notation, but without brackets. */
export const hosts = list.transform((entries, context) =>
  entries.map((entry) => {
    const bare = entry.replace(/^\[(.*)\]$/, '$1');
    const written = `http://${bare.includes(':') ? `[${bare}]` : bare}/`;
    const url = URL.canParse(written) ? new URL(written) : undefined;
    const isPattern = /^\.|\*/.test(bare);
    if (!isPattern && url?.href === `http://${url?.hostname}/`) return url.hostname.replace(/^\[|\]$/g, '');
    const remedy = isPattern
      ? 'names are compared whole; write each of them'
      : 'write names or addresses without a port';
    context.addIssue({ code: 'custom', message: `"${entry}" is not a host; ${remedy}` });
    return z.NEVER;
  }),
);

/** ID=BASE64 pairs of 32-byte keys, in the given order. */
export const codecKeys = list.transform((pairs, context) => {
  const keys = new Map<string, Buffer>();
  for (const pair of pairs) {
    const [, id, base64 = ''] = /^([\w.-]{1,64})=([A-Za-z0-9+/]{43}=)$/.exec(pair) ?? [];
    if (id !== undefined && !keys.has(id)) keys.set(id, Buffer.from(base64, 'base64'));
  }
  if (keys.size === pairs.length) return keys;
  const message = 'must be ID=BASE64 pairs, each ID once; make a key with: echo "2026-11=$(openssl rand -base64 32)"';
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

/** The most frontends of one Temporal in a setting. */
const MOST_FRONTENDS = 16;
const TEMPORAL_PORT = 7233;

/** HOST:PORT of one Temporal frontend, or of several, comma separated. */
export const temporalAddress = list.transform((parts, context) => {
  const fault = addressFault(parts);
  if (fault === undefined) return parts.join(',');
  context.addIssue({ code: 'custom', message: fault });
  return z.NEVER;
});

function addressFault(parts: readonly string[]): string | undefined {
  if (parts.length > MOST_FRONTENDS) return `must name at most ${MOST_FRONTENDS} frontends`;
  if (!parts.every((part) => /^([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?$/i.test(part))) {
    return 'must be HOST:PORT, for example 127.0.0.1:7233, or several, comma separated';
  }
  const hasPort = (part: string) => /:\d+$/.test(part) === /:(?!0+$)\d+$/.test(part) && URL.canParse(`http://${part}`);
  if (!parts.every(hasPort)) return 'must have a port from 1 to 65535';
  const twice = parts.find((part, index) => parts.indexOf(part) !== index);
  return twice === undefined ? undefined : `names ${twice} twice`;
}

/** Returns the frontends that a valid address names, at least one. An IPv6 address has no brackets. */
export function frontendsOf(address: string): Array<{ host: string; port: number }> {
  return address.split(',').map((part) => {
    const [, host = part, port] = /^(.*?)(?::(\d+))?$/.exec(part) ?? [];
    return { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port ?? TEMPORAL_PORT) };
  });
}
