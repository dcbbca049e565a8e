import type { Command } from 'commander';
import type { KeyView } from '../../../contracts/keys/key.ts';
import { runsWith } from '../../client/command.ts';
import { readPages } from '../../client/pages.ts';
import { moment } from '../../output/moments.ts';
import { note, paint, print, printJson } from '../../output/screen.ts';
import { table } from '../../output/table.ts';

const COLUMNS = [
  { title: 'KEY' },
  { title: 'NAME' },
  { title: 'RIGHTS' },
  { title: 'ONLY', flexible: true },
  { title: 'LAST USED' },
  { title: 'EXPIRES' },
];

export function define(command: Command): void {
  runsWith<object>(command, async ({ api, json }) => {
    const { items } = await readPages<KeyView>(api, '/keys', 'keys', { query: {}, limit: 10_000 });
    if (json) return printJson({ keys: items });
    if (items.length === 0) return note('no keys were created; create one with: hapax keys create');
    print(...table(COLUMNS, items.map(rowOf)));
  });
}

function rowOf({ id, name, status, rights, repositories, queues, last_used_at, expires_at }: KeyView): string[] {
  const expires = expires_at === null ? 'never' : moment(expires_at);
  return [
    id,
    name,
    rights.join(','),
    [...(repositories ?? []), ...(queues ?? [])].join(' '),
    last_used_at === null ? '' : moment(last_used_at),
    status === 'expired' ? paint(expires, 'bad') : expires,
  ];
}
