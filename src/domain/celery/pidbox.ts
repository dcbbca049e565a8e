import { type ControlMessage, controlMessage } from '../../contracts/celery/pidbox.ts';
import { readJson } from '../json.ts';

/**
 * Reads a control message, if it is for this host. As in kombu, the named hosts decide; without them the pattern; without both it is
 * for all. Returns undefined for a message to others, one that has expired, and anything else.
 * @param now seconds since 1970.
 */
export function heardControl(
  hostname: string,
  text: string,
  headers: Readonly<Record<string, unknown>>,
  now: number,
): ControlMessage | undefined {
  const { data } = controlMessage.safeParse(parsed(text));
  if (!data) return undefined;
  const { destination, pattern, matcher } = data;
  const { expires } = headers;
  // 0 means that it never expires.
  if (typeof expires === 'number' && expires > 0 && expires < now) return undefined;
  if (destination && destination.length > 0) return destination.includes(hostname) ? data : undefined;
  if (pattern && matcher) return matches(hostname, pattern, matcher) ? data : undefined;
  return data;
}

function parsed(text: string): unknown {
  try {
    return readJson(text);
  } catch {
    return undefined;
  }
}

/**
 * Says whether a pattern matches. `-d 'hapax@*'` sends shell patterns. Regular expressions never match: they could keep us busy
 * forever.
 */
function matches(hostname: string, pattern: string, matcher: string): boolean {
  if (matcher !== 'glob') return false;
  const parts = pattern.split('*');
  const [first = '', last = ''] = [parts[0], parts.at(-1)];
  if (parts.length === 1) return hostname === pattern;
  if (!hostname.startsWith(first) || !hostname.endsWith(last) || hostname.length < first.length + last.length)
    return false;
  let from = first.length;
  for (const part of parts.slice(1, -1)) {
    const at = hostname.indexOf(part, from);
    if (at === -1 || at + part.length > hostname.length - last.length) return false;
    from = at + part.length;
  }
  return true;
}
