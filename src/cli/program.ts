import { Command } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { COMMANDS, SERVED } from './command-names.ts';

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
  for (const [name, { group, summary, load }] of Object.entries(COMMANDS)) {
    const command = program.command(name).description(summary).helpGroup(group);
    if (completing || used === name) (await load()).define(command);
  }
  const serve = program.command('serve').description('one process of a server').helpGroup('Run Hapax:');
  for (const [name, { summary, load }] of Object.entries(SERVED)) {
    const command = serve.command(name).description(summary);
    if (completing || used === 'serve') (await load()).define(command);
    if (used === name) (await load()).define(program.command(name).description(summary));
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
