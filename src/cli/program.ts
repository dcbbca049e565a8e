import { Command } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { CLIENT_COMMANDS, ROLE_WORDS, SERVED_ROLES } from './command-names.ts';

/** For the roles that run the user's own tasks. */
const WATCH = 'load tasks of HAPAX_TASKS again when they change';

/**
 * Creates the command line for commander.
 * @param used the command whose file is loaded. The others have only their names, which is all that help shows of them.
 * @param completing loads all of them, and leaves out the command `completion`, which the caller adds.
 */
export async function createProgram(used: string, { completing = false } = {}): Promise<Command> {
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
    if (completing || used === name) (await load()).define(command);
  }
  for (const [name, { group, summary }] of Object.entries(ROLE_WORDS)) {
    const command = program
      .command(name)
      .description(summary)
      .helpGroup(group)
      .allowUnknownOption()
      .argument('[options...]');
    if (name === 'up') command.option('--watch', WATCH);
  }
  const serve = program.command('serve').description('one process of a server').helpGroup('Run Hapax:');
  for (const [name, summary] of Object.entries(SERVED_ROLES)) {
    const command = serve.command(name).description(summary);
    if (name === 'worker') command.option('--watch', WATCH);
  }
  if (!completing) {
    program
      .command('completion')
      .description('print a completion script for bash, zsh or fish')
      .argument('<shell>')
      .helpGroup('Set up:');
  }
  return program;
}
