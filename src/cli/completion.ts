import tab from '@bomb.sh/tab/commander';
import { readProfiles } from './client/profiles.ts';
import { createProgram } from './program.ts';

/** A substitute for the part of the package bash-completion that the script needs, for shells without it. */
const WITHOUT_BASH_COMPLETION = `declare -F _get_comp_words_by_ref >/dev/null || _get_comp_words_by_ref() {
    cword=$COMP_CWORD
    words=("\${COMP_WORDS[@]}")
    cur=\${COMP_WORDS[COMP_CWORD]}
    prev=\${COMP_WORDS[COMP_CWORD-1]}
}`;

/** Handles completion. `hapax completion SHELL` prints a script; the shell then asks `hapax complete -- WORDS` what could come next. */
export async function runCompletion(argv: string[]): Promise<void> {
  const program = await createProgram('', { completing: true });
  const completion = tab(program, { completionCommandName: 'completion' });
  for (const { options } of completion.commands.values()) {
    const profile = options.get('profile');
    if (profile) {
      profile.handler = (complete) => {
        for (const [name, { url }] of Object.entries(readProfiles(process.env).profiles)) complete(name, url);
      };
    }
  }
  if (argv[0] === 'completion' && argv[1] === 'bash')
    return printForBash(() => program.parseAsync(argv, { from: 'user' }));
  await program.parseAsync(argv, { from: 'user' });
}

/** Changes the script that the package prints: with read-only constants, a second `source` of it would fail. */
async function printForBash(printScript: () => Promise<unknown>): Promise<void> {
  const { log } = console;
  let script = '';
  console.log = (text: string) => (script += `${text}\n`);
  try {
    await printScript();
  } finally {
    console.log = log;
  }
  console.log(`${WITHOUT_BASH_COMPLETION}\n${script.replaceAll(/^readonly /gm, '')}`);
}
