import { z } from 'zod';

/**
 * Writes out values that kombu marks as more than JSON (`{"__type__": ..., "__value__": ...}`): dates and times as ISO 8601, decimals as
 * their digits, UUIDs with hyphens, bytes as text, or as base64 if they are not text.
 * @throws {TypeError} for a marked type that kombu does not know either.
 */
export function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object') return value;
  if (isMarked(value)) return written(String(value.__type__), value.__value__);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]));
}

/**
 * Returns a schema that also accepts its value as kombu or AMQP marks it: `eta` as a datetime, `task_id` as a UUID, `countdown` as a
 * decimal. It leaves values inside an object or a list as they are.
 */
export const unmarked = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((value, context) => {
    try {
      return typeof value === 'object' && value !== null ? (amqpValue(value) ?? kombuValue(value)) : value;
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message });
      return z.NEVER;
    }
  }, schema);

function kombuValue(value: object): unknown {
  return isMarked(value) ? written(String(value.__type__), value.__value__) : value;
}

/** Reads times and decimals in AMQP tables as amqplib represents them. */
function amqpValue(value: { '!'?: unknown; value?: unknown }): unknown {
  const { '!': type, value: inner } = value;
  if (type === 'timestamp') return new Date(Number(inner) * 1_000).toISOString();
  if (type !== 'decimal') return undefined;
  const { places, digits } = inner as { places: number; digits: number };
  return digits / 10 ** places;
}

/** Decides as kombu does: an object with these two members and no other. */
function isMarked(value: object): value is { __type__: unknown; __value__: unknown } {
  return Object.hasOwn(value, '__type__') && Object.hasOwn(value, '__value__') && Object.keys(value).length === 2;
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
