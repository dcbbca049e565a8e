/** In JSON: an escaped backslash, which stays, or a character that no store holds: NUL, or half of a surrogate pair. */
const NOT_STORABLE = /\\\\|\\u(?:0000|d[89a-f][\da-f]{2})/g;

/**
 * Returns text that every store can hold. Postgres refuses NUL, and half of a surrogate pair has no UTF-8. Both come from something
 * that was cut or broken earlier, so U+FFFD takes their place.
 */
export function storableText(text: string): string {
  return text.replaceAll('\u0000', '\ufffd').toWellFormed();
}

/** Returns JSON whose texts and names every store can hold, see {@link storableText}; the same text if nothing is wrong with it. */
export function storableJson(json: string): string {
  return json.replaceAll(NOT_STORABLE, (found) => (found === '\\\\' ? found : '\\ufffd'));
}

/** Returns a JSON value that every store can hold, see {@link storableText}; the same value if nothing is wrong with it. */
export function storable<Value>(value: Value): Value {
  const json = JSON.stringify(value);
  const mended = storableJson(json);
  return mended === json ? value : (JSON.parse(mended) as Value);
}

/** Returns a value as JSON; `null` for undefined. @throws what `fault` makes of the reason if the value is not JSON. */
export function jsonOf(value: unknown, fault: (why: string) => Error): string {
  let why = `it is a ${typeof value}`;
  try {
    const json: string | undefined = JSON.stringify(value ?? null);
    if (json !== undefined) return json;
  } catch (error) {
    why = (error as Error).message.split('\n', 1)[0]!;
  }
  throw fault(why);
}
