import type { Command } from 'commander';
import { profilesFile, readProfiles, writeProfiles } from '../client/profiles.ts';
import { baseUrl } from '../client/target.ts';
import { misuse } from '../failure.ts';
import { askSecret } from '../output/ask.ts';
import { note, print, printJson } from '../output/screen.ts';
import { table } from '../output/table.ts';

export function define(command: Command): void {
  command
    .command('set')
    .description('keep the address of a server, and its key')
    .argument('<name>')
    .requiredOption('--url <url>', 'address of Hapax')
    .option('--no-key', 'the server takes requests without a key')
    .addHelpText('after', '\nThe key is read from the terminal or from standard input, and never shown.')
    .action(set);
  command.command('use').description('use a profile where none is named').argument('<name>').action(use);
  command.command('remove').description('forget a profile').argument('<name>').action(remove);
  command.command('list').description('list profiles').option('--json', 'print JSON, for programs').action(list);
}

async function set(name: string, { url, key: keyed }: { url: string; key: boolean }): Promise<void> {
  const address = baseUrl(url, '--url');
  const key = keyed ? await askSecret(`Key for ${address} (empty: none): `) : '';
  const { default: chosen = name, profiles } = readProfiles(process.env);
  profiles[name] = { url: address, ...(key ? { key } : {}) };
  writeProfiles({ default: chosen, profiles }, process.env);
  note(
    `the profile ${name} is in ${profilesFile(process.env)}${chosen === name ? ', and used where none is named' : ''}`,
  );
}

async function use(name: string): Promise<void> {
  const { profiles } = readProfiles(process.env);
  if (!profiles[name]) throw misuse(`There is no profile "${name}"`, 'hapax profile list shows those there are');
  writeProfiles({ default: name, profiles }, process.env);
}

async function remove(name: string): Promise<void> {
  const { default: chosen, profiles } = readProfiles(process.env);
  if (!profiles[name]) throw misuse(`There is no profile "${name}"`, 'hapax profile list shows those there are');
  delete profiles[name];
  writeProfiles({ default: chosen === name ? undefined : chosen, profiles }, process.env);
}

async function list({ json }: { json?: boolean }): Promise<void> {
  const { default: chosen, profiles } = readProfiles(process.env);
  const shown = Object.entries(profiles).map(([name, { url, key }]) => ({
    name,
    url,
    has_key: key !== undefined,
    default: name === chosen,
  }));
  if (json) return printJson({ profiles: shown });
  if (shown.length === 0) return note('there are no profiles; make one with: hapax profile set NAME --url URL');
  print(
    ...table(
      [{ title: 'PROFILE' }, { title: 'URL' }, { title: 'KEY' }],
      shown.map((one) => [`${one.name}${one.default ? ' *' : ''}`, one.url, one.has_key ? 'yes' : 'no']),
    ),
  );
}
