/**
 * Returns the pause that a `Retry-After` header asks for, in milliseconds. The header holds seconds or a date (RFC 9110, 10.2.3).
 * Returns 0 if it holds neither.
 * @param now epoch milliseconds.
 */
export function retryAfterMs(header: string | undefined, now: number): number {
  if (header === undefined) return 0;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1_000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? 0 : Math.max(0, date - now);
}
