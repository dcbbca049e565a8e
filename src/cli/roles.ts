import type { Command } from 'commander';

const SETTINGS = 'Settings are environment variables: docs/configuration.md';
const WATCHING =
  'With --watch, running tasks keep the code that they started with. If a file has a fault, its tasks stay as they were.';

/** Gives a command the function that starts its process, and more help. Only that function loads code of the servers. */
export function runsProcess<Options>(
  command: Command,
  run: (options: Options, ...args: string[]) => Promise<void>,
  ...help: string[]
): void {
  command.addHelpText('after', paragraphs(...help, SETTINGS)).action(async (...given: unknown[]) => {
    const args = given.slice(0, command.registeredArguments.length) as string[];
    const { runRole } = await import('./run-role.ts');
    process.exitCode = await runRole(command.name(), () => run(command.opts<Options & object>(), ...args));
  });
}

/** Defines the command of a process that only settings control. */
export function define(command: Command): void {
  const role = command.name();
  if (role === 'up' || role === 'worker')
    command
      .option('--watch', 'load tasks of HAPAX_TASKS again when they change')
      .addHelpText('after', paragraphs(WATCHING));
  command.addHelpText('after', paragraphs(SETTINGS)).action(async () => {
    process.exitCode = await (await import('./run-role.ts')).runProcess(role, command.opts());
  });
}

const paragraphs = (...texts: string[]) => texts.map((text) => `\n${text}`).join('\n');
