import { EXIT, type Exit } from '../failure.ts';
import { note, print, printJson } from './screen.ts';

/** What became of several things. */
export interface Operated {
  done: string[];
  refused: Array<{ id: string; detail: string }>;
}

export interface ManyOperated extends Operated {
  /** Whether more match. */
  more: boolean;
}

/**
 * Prints what became of several things: how many were done, and why others were refused.
 * @param json what is printed for programs instead; undefined for people
 * @param verb what was done, such as `redriven`
 * @param more what else to say to people
 * @returns the exit status of the command
 */
export function printOperated({ done, refused }: Operated, json: object | undefined, verb: string, more = ''): Exit {
  if (json) printJson(json);
  else {
    noteRefused(refused);
    print(`${done.length} ${verb}, ${refused.length} refused${more}`);
  }
  return refused.length === 0 ? EXIT.success : EXIT.failed;
}

/** Says why each was refused. */
export function noteRefused(refused: Operated['refused']): void {
  for (const { id, detail } of refused) note(`${id} was refused: ${detail}`);
}
