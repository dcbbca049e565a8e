import { createReadStream } from 'node:fs';

/**
 * Reads the lines of a file, which end at `\n` and nowhere else. JSON may contain U+2028 and U+2029 as they are, where Node's `readline`
 * ends a line, too.
 */
export async function* linesOf(path: string): AsyncGenerator<string> {
  let begun: string[] = [];
  for await (const chunk of createReadStream(path, 'utf8')) {
    const [end, ...next] = String(chunk).split('\n');
    begun.push(end!);
    for (const line of next) {
      yield begun.join('');
      begun = [line];
    }
  }
  const last = begun.join('');
  if (last !== '') yield last;
}
