import { Command, CommanderError } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { CLIENT_COMMANDS, ROLE_WORDS, SERVED_ROLES } from './command-names.ts';
import { Failure, misuse } from './failure.ts';

/**
 * The command line as commander knows it.
 * @param used the commands whose files are loaded; the others only have their names, which is all that help shows of them.
 */
export async function createProgram(used: 'all' | string): Promise<Command> {
  const program = new Command('hapax')
    .description('Builds and tasks, effectively once.')
    .version(packageJson.version)
    .usage('COMMAND [OPTION...]')
    .helpCommand(false)
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .addHelpText('after', '\nhapax COMMAND --help says more. Settings of servers are environment variables.');
  for (const [name, { group, summary, load }] of Object.entries(CLIENT_COMMANDS)) {
    const command = program.command(name).description(summary).helpGroup(group);
    if (used === 'all' || used === name) (await load()).define(command);
  }
  for (const [name, { group, summary }] of Object.entries(ROLE_WORDS)) {
    program.command(name).description(summary).helpGroup(group).allowUnknownOption().argument('[options...]');
  }
  const serve = program.command('serve').description('one process of a server').helpGroup('Run Hapax:');
  for (const [name, summary] of Object.entries(SERVED_ROLES)) serve.command(name).description(summary);
  return program;
}

/** Runs a command for people. @throws {Failure} @returns whether only help or the version was asked for. */
export async function runProgram(argv: string[]): Promise<void> {
  const program = await createProgram(argv.find((word) => !word.startsWith('-')) ?? '');
  if (argv.length === 0) return program.outputHelp();
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (error instanceof Failure || !(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return;
    throw misuse(error.message.replace(/^error: /, '').replaceAll('\n', ' '), `see hapax ${hintOf(argv)}--help`);
  }
}

const hintOf = ([name = '']: string[]) => (Object.hasOwn(CLIENT_COMMANDS, name) || name === 'serve' ? `${name} ` : '');
