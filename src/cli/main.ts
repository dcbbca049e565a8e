import { ROLE_WORDS, SERVED_ROLES } from './command-names.ts';
import { EXIT, Failure } from './failure.ts';
import { note } from './output/screen.ts';

/**
 * Runs a command and ends the process with its status. Ends it explicitly, as the runtime of the Temporal SDK would keep it alive.
 */
export async function main(argv: string[]): Promise<never> {
  for (const stream of [process.stdout, process.stderr]) {
    // Whoever read along has stopped, as `head` does. 141 is what a shell reports of a program that SIGPIPE ended.
    stream.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 141 : 1));
  }
  process.exit(await statusOf(argv));
}

async function statusOf(argv: string[]): Promise<number> {
  const role = roleOf(argv);
  if (role) {
    const { runRole } = await import('./roles.ts');
    return runRole(role.name, role.argv);
  }
  const { runProgram } = await import('./run-command.ts');
  try {
    await runProgram(argv);
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (!(error instanceof Failure)) return failedBeneath(error);
    if (argv.includes('--json'))
      process.stderr.write(`${JSON.stringify({ error: error.fault, exit_code: error.exit })}\n`);
    else note(`hapax: ${error.message}`);
    return error.exit;
  }
}

/** The role that is asked for, under its own word or under `serve`. */
function roleOf([word = '', ...argv]: string[]): { name: string; argv: string[] } | undefined {
  if (word === 'serve')
    return argv[0] && Object.hasOwn(SERVED_ROLES, argv[0]) ? { name: argv[0], argv: argv.slice(1) } : undefined;
  return Object.hasOwn(ROLE_WORDS, word) || Object.hasOwn(SERVED_ROLES, word) ? { name: word, argv } : undefined;
}

/** What `init` and `doctor` meet in code of the servers, which names what its user can mend; or a fault of ours. */
function failedBeneath(error: unknown): number {
  if (error instanceof Error && error.name === 'UserError') {
    note(`hapax: ${error.message}`);
    return EXIT.unreachable;
  }
  // Not by throwing: Node would end with 1, which says that a build failed.
  console.error(error);
  return EXIT.internal;
}
