import type { RecordedEvent } from '../../contracts/builds/event.ts';
import { SEALED_VALUES } from './erased.ts';
import { canonicalJson, valuesHash } from './hash.ts';
import { type Data, valueAt, withoutValues, withValues } from './value-paths.ts';

/** Values that are kept beside an event, by their paths. */
export interface KeptValues {
  /** 64 random hexadecimal digits. Without them, a short value could be guessed from its hash. */
  salt: string;
  told: Data;
}

/** The data of an event without the values that can be erased, and these values. */
export interface SealedData {
  /** Data as the log has it, with the hash of the values, if there are any. */
  data: Data;
  kept: KeptValues | undefined;
}

/** Takes the values that can be erased out of the data of an event. Values equal to their replacement stay. */
export function sealData(type: string, data: Data, salt: () => string): SealedData {
  const told: Data = {};
  for (const [path, nothing] of Object.entries(SEALED_VALUES[type] ?? {})) {
    const value = valueAt(data, path);
    if (value !== undefined && canonicalJson(value) !== canonicalJson(nothing)) told[path] = value;
  }
  const paths = Object.keys(told);
  if (paths.length === 0) return { data, kept: undefined };
  const kept = { salt: salt(), told };
  return { data: { ...withoutValues(data, paths), sealed: valuesHash(kept) }, kept };
}

/**
 * Returns an event of the log with the values that are kept beside it. If they were erased, puts their replacements in their place,
 * so that readers find the data that the type of the event has.
 */
export function unsealed(event: RecordedEvent, kept: KeptValues | undefined): RecordedEvent {
  const { sealed: digest, ...data } = event.data;
  if (typeof digest !== 'string') return event;
  const values = kept?.told ?? missingOf(event.type, data);
  const sealed = { digest, salt: kept?.salt ?? null, fields: Object.keys(values).sort() };
  return { ...event, data: withValues(data, values), sealed };
}

/** Says whether values of an event were erased. */
export function isErased({ sealed }: Pick<RecordedEvent, 'sealed'>): boolean {
  return sealed?.salt === null;
}

function missingOf(type: string, data: Data): Data {
  const known = Object.entries(SEALED_VALUES[type] ?? {});
  return Object.fromEntries(known.filter(([path]) => valueAt(data, path) === undefined));
}
