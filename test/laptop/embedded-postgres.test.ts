import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/laptop/embedded-postgres.ts';
import { message } from '../../src/laptop/postgres-protocol.ts';

let home: string;
let db: EmbeddedPostgres;
const clients: postgres.Sql[] = [];
const sockets: Socket[] = [];

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'hapax-pg-'));
  db = await startEmbeddedPostgres({ directory: join(home, 'pg'), fsync: false, idleInTransactionMs: 1500 });
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(clients.splice(0).map((sql) => sql.end({ timeout: 1 })));
});
afterAll(async () => {
  await db.close();
  await rm(home, { recursive: true });
});

function client(options: postgres.Options<Record<string, never>> = {}): postgres.Sql {
  const sql = postgres(db.url, { max: 1, onnotice: () => undefined, ...options });
  clients.push(sql);
  return sql;
}

/** A client that speaks the protocol by hand; `answer()` waits for the next ReadyForQuery and gives the message types. */
async function rawClient(): Promise<{ socket: Socket; answer(): Promise<string> }> {
  const socket = connect(db.port, '127.0.0.1');
  sockets.push(socket);
  let bytes = Buffer.alloc(0);
  let wake = (): void => undefined;
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    bytes = Buffer.concat([bytes, chunk]);
    wake();
  });
  socket.on('close', () => wake());
  const answer = async (): Promise<string> => {
    for (;;) {
      let types = '';
      for (let at = 0; at + 5 <= bytes.length; ) {
        const end = at + 1 + bytes.readUInt32BE(at + 1);
        if (end > bytes.length) break;
        const type = String.fromCharCode(bytes[at] ?? 0);
        types += type;
        if (type === 'Z') {
          types += String.fromCharCode(bytes[at + 5] ?? 0);
          bytes = bytes.subarray(end);
          return types;
        }
        at = end;
      }
      if (socket.destroyed) return `${types} closed`;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  const startup = Buffer.concat([Buffer.alloc(4), Buffer.from([0, 3, 0, 0]), Buffer.from('user\0postgres\0\0')]);
  startup.writeUInt32BE(startup.length, 0);
  socket.write(Buffer.concat([startup, message('p', decodeURIComponent(new URL(db.url).password))]));
  await answer();
  return { socket, answer };
}

const zero16 = Buffer.alloc(2);
const parse = (sql: string, name = '') => message('P', name, sql, zero16);
const bind = (name = '') => message('B', '', name, zero16, zero16, zero16);
const run = message('E', '', Buffer.alloc(4));
const sync = message('S');

test('who does not know the password gets nothing, and holds nobody up', async () => {
  const url = new URL(db.url);
  expect(url.password).toMatch(/^[0-9a-f]{64}$/);
  for (const password of ['', 'postgres', url.password.slice(1), url.password.toUpperCase()]) {
    url.password = password;
    const stranger = postgres(url.href, { max: 1, onnotice: () => undefined });
    await expect(stranger`select 1`).rejects.toMatchObject({ code: '28P01' });
    await stranger.end({ timeout: 1 });
  }
  const startup = Buffer.from('\0\0\0\x17\0\x03\0\0user\0postgres\0\0', 'latin1');
  const attempts = [
    // A query in place of the password, and one that comes with a wrong one.
    Buffer.concat([startup, message('Q', 'create table stolen (a int)')]),
    Buffer.concat([startup, message('p', 'wrong'), message('Q', 'create table stolen (a int)')]),
    // A password of 100 MB is not waited for.
    Buffer.concat([startup, Buffer.from('p\x06\0\0\0', 'latin1')]),
  ];
  for (const bytes of attempts) {
    const socket = connect(db.port, '127.0.0.1');
    let answered = '';
    socket.on('data', (chunk) => (answered += chunk.toString('latin1'))).on('error', () => undefined);
    socket.write(bytes);
    await new Promise((resolve) => socket.once('close', resolve));
    expect(answered.slice(0, 10)).toBe('R\0\0\0\x08\0\0\0\x03E');
  }
  expect((await client()`select to_regclass('stolen') as found`)[0]).toEqual({ found: null });
});

test('many clients at once each get the answers to their own questions', async () => {
  const pools = [
    ...[true, true, true, false, false, false].map((prepare) => client({ prepare })),
    client({ max: 3, prepare: true }),
    client({ max: 3, prepare: false }),
  ];
  await pools[0]!`create table if not exists seen (client int, n int, primary key (client, n))`;
  const ask = async (sql: postgres.Sql, who: number, n: number): Promise<unknown> => {
    const tag = `${who}-${n}`;
    switch (n % 5) {
      case 0:
        return (await sql`select ${tag}::text as v, ${n}::int as n`)[0]?.v;
      case 1:
        return (await sql.unsafe(`select '${tag}' as v`))[0]?.v;
      case 2:
        return (await sql.unsafe('select $1::text as v', [tag]))[0]?.v;
      case 3:
        await sql`insert into seen values (${who}, ${n})`;
        return (await sql`select ${who}::int || '-' || n as v from seen where client = ${who} and n = ${n}`)[0]?.v;
      default: {
        const error = await sql`select ${tag}::int`.catch((e: Error) => e.message);
        return String(error).includes(`"${tag}"`) ? tag : error;
      }
    }
  };
  const wrong: unknown[] = [];
  await Promise.all(
    pools.map((sql, who) =>
      Promise.all(
        Array.from({ length: 100 }, async (_, n) => {
          const got = await ask(sql, who, n);
          if (got !== `${who}-${n}`) wrong.push({ who, n, got });
        }),
      ),
    ),
  );
  expect(wrong).toEqual([]);
  expect((await pools[1]!`select count(*)::int as n from seen`)[0]).toEqual({ n: pools.length * 20 });
});

test('transactions do not see or undo each other', async () => {
  const pools = Array.from({ length: 6 }, (_, i) => client({ prepare: i % 2 === 0 }));
  const first = pools[0]!;
  await first`create table counter (id int primary key, n int not null)`;
  await first`insert into counter values (1, 0)`;
  let committed = 0;
  await Promise.all(
    pools.flatMap((sql, who) =>
      Array.from({ length: 20 }, async (_, i) => {
        const fails = (who + i) % 3 === 0;
        const done = sql.begin(async (tx) => {
          const n = (await tx`select n from counter where id = 1`)[0]?.n as number;
          await new Promise(setImmediate); // lets the others try to come between
          await tx`update counter set n = ${n + 1} where id = 1`;
          if (fails) throw new Error('rolled back');
        });
        await done.then(
          () => {
            committed += 1;
          },
          (e: Error) => expect(e.message).toBe('rolled back'),
        );
      }),
    ),
  );
  expect(committed).toBe(80);
  expect((await first`select n from counter`)[0]?.n).toBe(80);
});

test('a client that dies in a transaction leaves nothing behind', async () => {
  const sql = client();
  await sql`create table mortal (a int)`;
  const inTransaction = await rawClient();
  inTransaction.socket.write(message('Q', 'begin; insert into mortal values (1)'));
  expect(await inTransaction.answer()).toBe('CCZT');
  inTransaction.socket.resetAndDestroy();
  expect(await sql`select * from mortal`).toHaveLength(0);

  // Executed and flushed, but never synced: not committed.
  const inBatch = await rawClient();
  const flushed = new Promise((resolve) => inBatch.socket.once('data', resolve));
  inBatch.socket.write(Buffer.concat([parse('insert into mortal values (2)'), bind(), run, message('H')]));
  await flushed;
  inBatch.socket.resetAndDestroy();
  expect(await sql`select * from mortal`).toHaveLength(0);

  // In the state after an error, in which everything up to a Sync is skipped.
  const afterError = await rawClient();
  const failed = new Promise((resolve) => afterError.socket.once('data', resolve));
  afterError.socket.write(Buffer.concat([parse('selec'), message('H')]));
  await failed;
  afterError.socket.resetAndDestroy();
  expect(await sql`select * from mortal`).toHaveLength(0);
});

test('a client that is silent in a transaction is cut off, and the others go on', async () => {
  const silent = await rawClient();
  silent.socket.write(message('Q', 'begin; create table never (a int)'));
  expect(await silent.answer()).toBe('CCZT');
  const sql = client();
  expect((await sql`select to_regclass('never') as t`)[0]).toEqual({ t: null });
  expect(await silent.answer()).toBe('E closed');
});

test('large values pass in both directions', async () => {
  const sql = client();
  const value = 'hapax '.repeat(900_000);
  await sql`create table large (v text)`;
  await sql`insert into large values (${value})`;
  const rows = await Promise.all([client(), client({ prepare: false }), sql].map((c) => c`select v from large`));
  for (const [row] of rows) expect(row?.v === value).toBe(true);
});

test('messages split at any byte, and many in one chunk', async () => {
  const { socket, answer } = await rawClient();
  socket.setNoDelay(true);
  const batch = [
    parse('select 1', 'a'),
    bind('a'),
    run,
    sync,
    message('Q', 'select 2'),
    parse('selec'),
    bind(),
    run,
    sync,
  ];
  const bytes = Buffer.concat([...batch, message('Q', 'select 3; select 1/0')]);
  socket.write(bytes);
  const expected = ['12DCZI', 'TDCZI', 'EZI', 'TDCEZI'];
  for (const types of expected) expect(await answer()).toBe(types);
  const again = Buffer.concat([message('C', Buffer.from('S'), 'a'), bytes]);
  for (const byte of again) {
    socket.write(Buffer.of(byte));
    await new Promise(setImmediate);
  }
  for (const types of ['312DCZI', ...expected.slice(1)]) expect(await answer()).toBe(types);
});

test('statements of equal name do not mix, and end with their connection', async () => {
  const [one, two] = [await rawClient(), await rawClient()];
  one.socket.write(Buffer.concat([parse('select 1', 's'), sync]));
  two.socket.write(Buffer.concat([parse('select 2, 2', 's'), sync]));
  expect([await one.answer(), await two.answer()]).toEqual(['1ZI', '1ZI']);
  one.socket.write(Buffer.concat([bind('s'), message('D', Buffer.from('P'), ''), run, sync]));
  expect(await one.answer()).toBe('2TDCZI');
  one.socket.end(message('X'));
  two.socket.end(message('X'));
  await Promise.all([one.answer(), two.answer()]);
  const sql = client({ prepare: false });
  expect((await sql`select count(*)::int as n from pg_prepared_statements where name like 'hapax%'`)[0]).toEqual({
    n: 0,
  });
});

test('nonsense, a COPY and a cancel request end at most their own connection', async () => {
  const sql = client();
  await sql`create table copied (a int)`;
  const copies = await rawClient();
  copies.socket.write(message('Q', 'copy copied from stdin'));
  expect(await copies.answer()).toBe('GEZI');
  copies.socket.write(Buffer.concat([parse('copy copied from stdin'), bind(), run, sync, message('c')]));
  expect(await copies.answer()).toBe('12GEZI');
  copies.socket.write(message('Q', 'select 1'));
  expect(await copies.answer()).toBe('TDCZI');

  for (const bytes of [Buffer.from('z\0\0\0\x04'), Buffer.from('Q\0\0\0\0'), Buffer.from('P\0\0\0\x05a')]) {
    const { socket, answer } = await rawClient();
    socket.write(bytes);
    expect(await answer()).toBe('E closed');
  }
  for (const bytes of [
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    Buffer.from([0, 0, 0, 16, 4, 210, 22, 46, 0, 0, 0, 1, 0, 0, 0, 1]),
  ]) {
    const socket = connect(db.port, '127.0.0.1');
    socket.on('error', () => undefined).resume();
    socket.write(bytes);
    await new Promise((resolve) => socket.once('close', resolve));
  }
  expect((await sql`select 1 as one`)[0]).toEqual({ one: 1 });
});

test('what is notified in one connection is heard in another', async () => {
  const heard = Promise.withResolvers<string>();
  await client().listen('news', heard.resolve);
  await client().notify('news', 'hello');
  expect(await heard.promise).toBe('hello');
});

test('SET ROLE holds for all connections', async () => {
  const [one, two] = [client(), client()];
  await one`create role runtime`;
  await one`set role runtime`;
  expect((await two`select current_user::text as who`)[0]).toEqual({ who: 'runtime' });
  await two`reset role`;
});
