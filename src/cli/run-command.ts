import { CommanderError } from 'commander';
import { CLIENT_COMMANDS } from './command-names.ts';
import { Failure, misuse } from './failure.ts';
import { createProgram } from './program.ts';

/** Runs a command for people. @throws {Failure} */
export async function runProgram(argv: string[]): Promise<void> {
  try {
    if (argv[0] === 'completion' || argv[0] === 'complete')
      return await (await import('./completion.ts')).runCompletion(argv);
    const program = await createProgram(argv.find((word) => !word.startsWith('-')) ?? '');
    if (argv.length === 0) return program.outputHelp();
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (error instanceof Failure || !(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return;
    throw misuse(error.message.replace(/^error: /, '').replaceAll('\n', ' '), `see hapax ${hintOf(argv)}--help`);
  }
}

const hintOf = ([name = '']: string[]) => (Object.hasOwn(CLIENT_COMMANDS, name) || name === 'serve' ? `${name} ` : '');
