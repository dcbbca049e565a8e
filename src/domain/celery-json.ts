/**
 * Writes out what kombu marks as more than JSON (`{"__type__": ..., "__value__": ...}`): dates and times as ISO 8601, decimals as
 * their digits, UUIDs with hyphens, bytes as text, bytes that are no text as base64.
 * @throws {TypeError} a marked type that kombu does not know either.
 */
export function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object') return value;
  const members = Object.entries(value);
  if (members.length === 2 && '__type__' in value && '__value__' in value) {
    return written(String(value.__type__), value.__value__);
  }
  return Object.fromEntries(members.map(([name, member]) => [name, plain(member)]));
}

function written(type: string, value: unknown): unknown {
  switch (type) {
    case 'datetime':
    case 'date':
    case 'time':
    case 'decimal':
    case 'bytes':
    case 'base64':
      if (typeof value === 'string') return value;
      break;
    case 'uuid': {
      const hex = (value as { hex?: unknown } | null)?.hex;
      const digits = typeof hex === 'string' ? hex.replaceAll('-', '').toLowerCase() : '';
      if (/^[0-9a-f]{32}$/.test(digits)) return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
      break;
    }
  }
  throw new TypeError(`a value of type "${type.slice(0, 40)}" cannot be read`);
}
