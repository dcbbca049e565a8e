import { readFileSync } from 'node:fs';
import { misuse } from '../failure.ts';

/** Reads a JSON file; `-` is standard input. @throws {Failure} */
export function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file === '-' ? 0 : file, 'utf8'));
  } catch (error) {
    throw misuse(`${file} is not a JSON file that can be read`, (error as Error).message);
  }
}
