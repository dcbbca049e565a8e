import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BuildEvent } from '../../src/contracts/builds/event.ts';
import { BUILDS } from '../../src/store/builds/build-stream.ts';
import { openDatabase } from '../../src/store/database.ts';
import { migrateDatabase } from '../../src/store/migrate.ts';
import { appendEvent } from '../../src/store/record/event-append.ts';
import { type PostgresServer, startPostgresServer } from '../world/postgres-server.ts';

const PAGE = readFileSync(fileURLToPath(new URL('../../docs/architecture.md', import.meta.url)), 'utf8');

/** The only block of a language in docs/architecture.md. */
function block(language: string): string {
  const blocks = [...PAGE.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(
    ([, code = '']) => code,
  );
  expect(blocks, language).toHaveLength(1);
  return blocks[0] ?? '';
}

const at = (second: number) => `2026-11-21T10:00:0${second}.5${second}0Z`;

/** A build whose data has what canonical JSON is about: order of keys, escapes, text beyond ASCII, numbers, null. */
const EVENTS: BuildEvent[] = [
  {
    type: 'build_queued',
    data: {
      build_id: 1,
      workflow_id: 'build-1',
      request_key: 'k',
      fingerprint: 'f',
      keyed: true,
      dedup_until: at(9),
      caller: 'local',
      config_id: 1,
      config_version: 1,
      image_type: 'fédora \u{1f3a9} "quoted" \\ \u0007 \u20ac',
      fedora_version: null,
      priority: 3,
      request: {
        repository: 'o/r',
        workflow: 'b.yml',
        ref: 'main',
        inputs: { z: '1', a: '2', ö: '3', '\u{1f600}': '4', '\ufb33': '5' },
      },
    },
    occurred_at: at(1),
    dedupe_key: 'queued',
  },
  { type: 'build_started', data: {}, occurred_at: at(2), dedupe_key: 'started' },
  {
    type: 'workflow_triggered',
    data: {
      attempt: 1,
      workflow_run_id: 12_345_678_901,
      run_url: 'https://x/1',
      learned_from: 'dispatch',
      correlated: true,
      request_id: null,
    },
    occurred_at: at(3),
    dedupe_key: 'triggered',
  },
];

describe('the recipe in docs/architecture.md for checking a chain without our code', () => {
  let server: PostgresServer;
  let rows: string[];
  let head: string;

  beforeAll(async () => {
    server = await startPostgresServer();
    await migrateDatabase(server.url);
    const database = openDatabase({ url: server.url });
    for (const event of EVENTS) head = (await appendEvent(database.db, BUILDS, 1, event)).event.hash;
    await database.close();
    // Without a type, the driver hands the JSON over as Postgres wrote it, which is what psql prints.
    const sql = postgres(server.url, { max: 1 });
    rows = (await sql.unsafe(`SELECT row::text FROM (${block('sql')}) AS taken(row)`)).map(({ row }) => row as string);
    await sql.end();
  });
  afterAll(() => server.close());

  const check = async (lines: string[]) => {
    const program = spawn(process.execPath, ['--input-type=module', '--eval', block('js')], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    program.stdin.end(`${lines.join('\n')}\n`);
    const [output, [code]] = await Promise.all([text(program.stdout), once(program, 'exit')]);
    return { code, output: output.trim() };
  };

  it('finds a chain sound as it was written', async () => {
    expect(await check(rows)).toEqual({ code: 0, output: `3 events, head ${head}` });
  });

  it('finds what was changed, left out or put first', async () => {
    const [first = '', second = '', third = ''] = rows;
    const fault = (seq: number) => ({ code: 1, output: `event ${seq} is not sound` });
    expect(await check([first.replace('"priority": 3', '"priority": 1'), second, third])).toEqual(fault(1));
    expect(await check([first, second, third.replace('12345678901', '12345678902')])).toEqual(fault(3));
    expect(await check([first, third])).toEqual(fault(2));
    expect(await check([second, third])).toEqual(fault(1));
  });
});
