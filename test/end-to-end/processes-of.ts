import { readdirSync, readFileSync } from 'node:fs';

/** Command lines of the running processes whose environment or command line mentions a text (Linux). */
export function processesOf(text: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
        const zombie = commandLine === '';
        return !zombie && (commandLine + environment).includes(text) ? [`${pid} ${commandLine}`] : [];
      } catch {
        return [];
      }
    });
}
