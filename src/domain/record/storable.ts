/** In JSON: an escaped backslash, which is left alone, or what no store holds: NUL, or half of a surrogate pair. */
const NOT_STORABLE = /\\\\|\\u(?:0000|d[89a-f][\da-f]{2})/g;

/**
 * Text as every store can hold it. Postgres refuses NUL, and half of a surrogate pair has no UTF-8. Both stand for something that
 * was cut or broken before it came here, so U+FFFD takes their place.
 */
export function storableText(text: string): string {
  return text.replaceAll('\u0000', '\ufffd').toWellFormed();
}

/** JSON whose texts and names every store can hold, see {@link storableText}. The same text where nothing is wrong with it. */
export function storableJson(json: string): string {
  return json.replaceAll(NOT_STORABLE, (found) => (found === '\\\\' ? found : '\\ufffd'));
}

/** A value of JSON that every store can hold, see {@link storableText}; the same value where nothing is wrong with it. */
export function storable<Value>(value: Value): Value {
  const json = JSON.stringify(value);
  const mended = storableJson(json);
  return mended === json ? value : (JSON.parse(mended) as Value);
}
