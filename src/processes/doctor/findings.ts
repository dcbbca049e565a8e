import type { Check } from '../../contracts/check.ts';

export function ok(name: string, detail: string): Check {
  return { name, status: 'ok', detail };
}

export function note(name: string, detail: string, remedy?: string): Check {
  return { name, status: 'note', detail, ...(remedy === undefined ? {} : { remedy }) };
}

export function fault(name: string, detail: string, remedy: string): Check {
  return { name, status: 'fault', detail, remedy };
}
