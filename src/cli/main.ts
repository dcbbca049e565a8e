import { COMMANDS, loadProcesses, SERVED } from './command-names.ts';
import { EXIT, Failure } from './failure.ts';
import { note } from './output/screen.ts';

/**
 * Runs a command and ends the process with its status. It exits explicitly, because the runtime of the Temporal SDK would keep the process
 * alive.
 */
export async function main(argv: string[]): Promise<never> {
  const [commands, [name = '', ...rest]] =
    argv[0] === 'serve' ? [SERVED, argv.slice(1)] : [{ ...COMMANDS, ...SERVED }, argv];
  const load = Object.hasOwn(commands, name) ? commands[name]!.load : undefined;
  // Its terminal may be closed, and Ctrl-C also ends the `tee` behind it. Then it still has to stop in order.
  const stopsInOrder = load !== undefined && (name in SERVED || name === 'up' || name === 'demo');
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // The reader has stopped reading, as `head` does. 141 is what a shell reports for a program that SIGPIPE ended.
      if (!stopsInOrder) process.exit(error.code === 'EPIPE' ? 141 : 1);
    });
  }
  // The parser of options takes memory that a server does not need.
  const isProcessAlone = load === loadProcesses && rest.length === 0;
  const status = isProcessAlone ? await (await import('./run-role.ts')).runProcess(name) : await statusOf(argv);
  await Promise.all([written(process.stdout), written(process.stderr)]);
  process.exit(status);
}

/** Waits until a stream has passed on what was written to it. A pipe takes it bit by bit, and exiting would drop the rest. */
function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((done) => stream.write('', () => done()));
}

async function statusOf(argv: string[]): Promise<number> {
  const { runProgram } = await import('./run-command.ts');
  try {
    await runProgram(argv);
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') throw error;
    if (!(error instanceof Failure)) return failedBeneath(error);
    if (argv.includes('--json'))
      process.stderr.write(`${JSON.stringify({ error: error.fault, exit_code: error.exit })}\n`);
    else note(`hapax: ${error.message}`);
    return error.exit;
  }
}

/** Handles an error that `init` or `doctor` got from code of the servers: one that the user can correct, or a bug. */
function failedBeneath(error: unknown): number {
  if (error instanceof Error && error.name === 'UserError') {
    note(`hapax: ${error.message}`);
    return EXIT.unreachable;
  }
  // Not by throwing: Node would exit with 1, which means that a build failed.
  console.error(error);
  return EXIT.internal;
}
