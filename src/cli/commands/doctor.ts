import type { Command } from 'commander';
import type { Check } from '../../contracts/check.ts';
import { readEnvironmentFile } from '../environment-file.ts';
import { EXIT } from '../failure.ts';
import { paint, print, printJson } from '../output/screen.ts';

const TONES = { ok: 'good', note: 'warn', fault: 'bad' } as const;

export function define(command: Command): void {
  command.option('--json', 'print JSON, for programs').action(async ({ json }: { json?: boolean }) => {
    const file = readEnvironmentFile(process.env);
    const { examine } = await import('../../processes/doctor/doctor.ts');
    const checks = await examine(process.env, file);
    if (json) printJson({ checks });
    else print(...checks.map(lineOf));
    process.exitCode = checks.some(({ status }) => status === 'fault') ? EXIT.failed : EXIT.success;
  });
}

function lineOf({ name, status, detail, remedy }: Check): string {
  return `${paint(status.padEnd(5), TONES[status])}  ${name.padEnd(8)}  ${detail}${remedy ? `; ${remedy}` : ''}`;
}
