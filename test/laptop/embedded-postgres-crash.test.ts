import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { startEmbeddedPostgres } from '../../src/laptop/embedded-postgres.ts';
import { startProgram } from './child.ts';

let home: string;
let directory: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'hapax-pg-'));
  directory = join(home, 'pg');
  onTestFinished(() => rm(home, { recursive: true })); // these run last to first
});

test('kill -9 under load: every acknowledged row is there after a restart, twice over', async () => {
  const acknowledged: number[] = [];
  let next = 0;
  for (const round of [1, 2]) {
    const running = await startProgram('postgres-host.ts', directory);
    const sql = postgres(running.firstLine, { max: 6, onnotice: () => undefined });
    await sql`create table if not exists kept (n int primary key, v text)`;
    const present = new Set((await sql`select n from kept`).map((row) => row.n as number));
    expect(acknowledged.filter((n) => !present.has(n))).toEqual([]);

    let enough = (): void => undefined;
    const reached = new Promise<void>((resolve) => {
      enough = resolve;
    });
    let broken = false;
    const writers = Array.from({ length: 6 }, async () => {
      while (!broken) {
        next += 1;
        const n = next;
        try {
          await sql`insert into kept values (${n}, ${'x'.repeat(500)})`;
          acknowledged.push(n);
          if (acknowledged.length === round * 500) enough();
        } catch {
          broken = true;
        }
      }
    });
    await reached;
    await running.kill();
    await Promise.all(writers);
    await sql.end({ timeout: 0 });
  }
  // Names a process that runs (this one): it must not pass for a server that holds the directory.
  await writeFile(join(directory, 'postmaster.pid'), `${process.pid}\n/pglite/data\n0\n5432\n\n\n`);
  const db = await startEmbeddedPostgres({ directory });
  const sql = postgres(db.url, { max: 1 });
  const present = new Set((await sql`select n from kept`).map((row) => row.n as number));
  expect(acknowledged.filter((n) => !present.has(n))).toEqual([]);
  expect(acknowledged.length).toBeGreaterThanOrEqual(1000);
  await sql.end();
  await db.close();
});

test('a first start that was cut short does not spoil the next', async () => {
  await mkdir(join(home, 'pg.new'));
  await writeFile(join(home, 'pg.new', 'PG_VERSION'), '18\n');
  const db = await startEmbeddedPostgres({ directory });
  const sql = postgres(db.url, { max: 1 });
  expect((await sql`select 1 as one`)[0]).toEqual({ one: 1 });
  await sql.end();
  await db.close();
  expect(await readdir(home)).toEqual(['pg']);
  expect(existsSync(join(directory, 'postmaster.pid'))).toBe(false);
});

test('close() may come twice, and a port in use is refused', async () => {
  const db = await startEmbeddedPostgres({ directory });
  await expect(startEmbeddedPostgres({ directory: join(home, 'other'), port: db.port })).rejects.toThrow('EADDRINUSE');
  await Promise.all([db.close(), db.close()]);
});
