import { type Command, InvalidArgumentError } from 'commander';
import { misuse } from '../failure.ts';
import { runsProcess } from '../roles.ts';

const load = () => import('../../processes/audit.ts');

export function define(command: Command): void {
  runsProcess<{ out?: string }>(
    command
      .command('export')
      .description('write the event log as NDJSON, one event per line, in order')
      .option('--out <file>', 'a new file (default: standard output)'),
    async ({ out }) => (await load()).exportAudit(out, process.env),
    'It prints a digest ("head") to standard error. Keep it in another place, for verify --head.',
  );
  runsProcess<{ head?: string; checkpoint?: string; key?: string }>(
    command
      .command('verify')
      .description('verify the record, or a file that was exported')
      .argument('[file]', 'left out: the record')
      .option('--head <digest>', 'the one that export printed: shows whether events are missing', digest)
      .option('--checkpoint <file>', 'one that you kept: shows whether an event before it was changed')
      .option('--key <key>', 'the key of the checkpoint, from GET /audit/key'),
    async (expected, file) => {
      if (expected.key !== undefined && expected.checkpoint === undefined) throw misuse('--key needs --checkpoint');
      await (await load()).verifyAudit(file, expected, process.env);
    },
    'Without DATABASE_URL, it reads the embedded database in HAPAX_HOME, even while "hapax up" runs.',
  );
  runsProcess<object>(
    command
      .command('key')
      .description('make a key that signs checkpoints (CHECKPOINT_KEY)')
      .argument('<name>', 'such as example.org/log'),
    async (_, name = '') => (await load()).printNewKey(name),
  );
}

function digest(text: string): string {
  if (!/^[0-9a-f]{64}$/.test(text)) throw new InvalidArgumentError('It needs 64 hex digits.');
  return text;
}
