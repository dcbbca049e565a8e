import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { environmentFile } from '../environment-file.ts';
import { misuse } from '../failure.ts';
import { ask, canAsk } from '../output/ask.ts';
import { confirm, confirmable } from '../output/confirm.ts';
import { note, print, printJson } from '../output/screen.ts';
import { existingEntries, writeEnvironmentFile } from '../write-environment-file.ts';

interface Options {
  repository?: string;
  workflow?: string;
  webhookSecret?: string;
  home?: string;
  simulated?: boolean;
  tasks?: boolean;
  yes?: boolean;
  json?: boolean;
}

/** The lines that a workflow file needs, in YAML. */
const WORKFLOW_LINES = [
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is one of GitHub.
  '  run-name: Build [${{ inputs.hapax_id }}]',
  '  on: { workflow_dispatch: { inputs: { hapax_id: { type: string } } } }',
];

/** The settings that a person is asked for, and that may have no value. */
const ASKED = ['GITHUB_TOKEN', 'GITHUB_REPO', 'GITHUB_WORKFLOW', 'GITHUB_WEBHOOK_SECRET'];
/** What else makes builds go to the real GitHub. */
const CREDENTIALS = ['GITHUB_APP_ID', 'GITHUB_APP_PRIVATE_KEY'];

/** How many answers to a question are tried before the command gives up. */
const TRIES = 3;

export function define(command: Command): void {
  confirmable(command)
    .option('--repository <owner/name>', 'repository that builds run in')
    .option('--workflow <file>', 'its workflow file (default: build.yml)')
    .option('--webhook-secret <secret>', '"new" makes one, "none" goes without')
    .option('--home <directory>', 'where the data is kept (default: .hapax)')
    .option('--simulated', 'no token: builds go to the simulated GitHub')
    .option('--tasks', 'only start a folder with tasks of your own in TypeScript')
    .option('--json', 'print JSON, for programs')
    .addHelpText(
      'after',
      '\nThe token is read from GITHUB_TOKEN, or typed without being shown. GITHUB_API_URL names another GitHub.',
    )
    .action(init);
}

async function init(options: Options): Promise<void> {
  const file = environmentFile(process.env) ?? resolve('.env');
  if (options.tasks) return initTasks(file, options);
  if (existingEntries(file).length > 0)
    await confirm(`${file} is there; the settings that are asked for are replaced in it.`, options);
  const settings = await answers(options);
  // An answer from before would still hold: a token, for example, sends builds to GitHub.
  const others = options.simulated ? [...ASKED, ...CREDENTIALS] : ASKED;
  writeEnvironmentFile(file, { ...Object.fromEntries(others.map((name) => [name, ''])), ...settings });
  if (options.json) return printJson({ file, settings: Object.keys(settings) });
  print(`wrote ${file}, for your eyes only`);
  if (settings.GITHUB_TOKEN) {
    print('', `Give ${settings.GITHUB_WORKFLOW} these two, so that Hapax recognises its runs:`);
    print(...WORKFLOW_LINES);
  }
  if (settings.GITHUB_WEBHOOK_SECRET) {
    print(
      '',
      `Add a webhook in the settings of ${settings.GITHUB_REPO}: https://YOUR-HOST/webhooks/github, application/json,`,
    );
    print('the event "Workflow runs", and the secret in the file.');
  }
  print('', 'Start it with: hapax up');
}

/** The folder of the user's own tasks, and the first of them. */
const TASKS = './tasks';
const FIRST_TASK = `import { defineTask, z } from 'hapax/tasks';

export default defineTask({
  name: 'hello',
  arguments: z.object({ who: z.string() }),
  run: ({ who }) => \`Hello, \${who}!\`,
});
`;

/** Writes the first task, and makes workers serve it. It leaves an existing file alone. */
function initTasks(file: string, { json }: Options): void {
  const module = join(TASKS, 'hello.ts');
  const isNew = !existsSync(module);
  mkdirSync(TASKS, { recursive: true });
  if (isNew) writeFileSync(module, FIRST_TASK);
  writeEnvironmentFile(file, { HAPAX_TASKS: TASKS });
  if (json) {
    printJson({ file, settings: ['HAPAX_TASKS'], module });
    return;
  }
  print(
    `${isNew ? 'wrote' : 'kept'} ${module}, and set HAPAX_TASKS in ${file}`,
    '',
    'Start it, and send a task from another terminal:',
  );
  print('  hapax up --watch', '  hapax tasks send hello -k who=you --wait');
}

type Settings = Record<string, string>;

/** Asks the five questions, and checks each answer at once. */
async function answers(options: Options): Promise<Settings> {
  const { createGitHubChecks } = await import('../../processes/github-checks.ts');
  const { GITHUB_API_URL, GITHUB_TOKEN } = process.env;
  const settings: Settings = GITHUB_API_URL ? { GITHUB_API_URL } : {};
  const checks = createGitHubChecks(settings);
  const put = async (name: string, question: string, given: string | undefined, usual: string, check: Check) => {
    const value = await answer(question, { given, usual, hidden: name === 'GITHUB_TOKEN', check });
    if (value) settings[name] = value;
  };
  if (!options.simulated) {
    const token = 'GitHub token, with "Actions: read and write" (empty: simulated GitHub): ';
    await put('GITHUB_TOKEN', token, GITHUB_TOKEN, '', checks.token);
  }
  if (settings.GITHUB_TOKEN) {
    await put(
      'GITHUB_REPO',
      'Repository that builds run in, as OWNER/NAME: ',
      options.repository,
      '',
      checks.repository,
    );
    await put('GITHUB_WORKFLOW', 'Its workflow file [build.yml]: ', options.workflow, 'build.yml', checks.workflow);
    const secret = 'Webhook secret (new: make one) [none]: ';
    await put('GITHUB_WEBHOOK_SECRET', secret, options.webhookSecret, 'none', secretOf);
  }
  await put('HAPAX_HOME', 'Where the data is kept [.hapax]: ', options.home, '.hapax', async (path) => ({
    value: resolve(path),
  }));
  return settings;
}

/** Checks an answer: returns the value of the setting, or why it is not possible. */
type Check = (text: string) => Promise<{ value: string } | { fault: string }>;

async function answer(
  question: string,
  { given, usual, hidden, check }: { given: string | undefined; usual: string; hidden: boolean; check: Check },
) {
  for (let tries = 1; ; tries++) {
    const asked = given === undefined && canAsk();
    const text = given ?? (asked ? await ask(question, { hidden }) : usual);
    const found = await check(text || usual);
    if ('value' in found) return found.value;
    if (!asked || tries === TRIES) throw misuse(found.fault);
    note(found.fault);
  }
}

async function secretOf(text: string): ReturnType<Check> {
  if (text === 'none') return { value: '' };
  if (text === 'new') return { value: randomBytes(32).toString('hex') };
  return /^[\x21-\x7e]{16,}$/.test(text) && !text.includes(',')
    ? { value: text }
    : { fault: 'The webhook secret must have 16 characters or more, in ASCII and without spaces and commas' };
}
