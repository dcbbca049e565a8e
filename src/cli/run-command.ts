import { CommanderError } from 'commander';
import { COMMANDS, SERVED } from './command-names.ts';
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
    if (error.code === 'commander.help') throw misuse('Say what to do', `the commands are above`);
    throw misuse(error.message.replace(/^error: /, '').replaceAll('\n', ' '), `see hapax ${hintOf(argv)}--help`);
  }
}

const hintOf = ([name = '']: string[]) =>
  Object.hasOwn(COMMANDS, name) || Object.hasOwn(SERVED, name) || name === 'serve' ? `${name} ` : '';
