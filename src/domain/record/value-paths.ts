import type { RecordedEvent } from '../../contracts/builds/event.ts';

/** Data of an event. */
export type Data = Record<string, unknown>;

/** Returns the data of an event as the log has it and as its hash covers it: without the values that are kept beside it. */
export function loggedData({ data, sealed }: Pick<RecordedEvent, 'data' | 'sealed'>): Data {
  return sealed ? { ...withoutValues(data, sealed.fields), sealed: sealed.digest } : data;
}

/** Returns the value at a path: a name, or two with a point between. */
export function valueAt(data: Data, path: string): unknown {
  const [outer, inner] = namesIn(path);
  return inner === undefined ? data[outer] : (data[outer] as Data | undefined)?.[inner];
}

/** Returns data without the values at these paths. */
export function withoutValues(data: Data, paths: readonly string[]): Data {
  const left = { ...data };
  for (const path of paths) {
    const [outer, inner] = namesIn(path);
    if (inner === undefined) delete left[outer];
    else {
      const { [inner]: _, ...rest } = left[outer] as Data;
      left[outer] = rest;
    }
  }
  return left;
}

/** Returns data with these values at their paths. */
export function withValues(data: Data, values: Data): Data {
  const whole = { ...data };
  for (const [path, value] of Object.entries(values)) {
    const [outer, inner] = namesIn(path);
    whole[outer] = inner === undefined ? value : { ...(whole[outer] as Data), [inner]: value };
  }
  return whole;
}

function namesIn(path: string): [outer: string, inner: string | undefined] {
  const [outer = '', inner] = path.split('.');
  return [outer, inner];
}
