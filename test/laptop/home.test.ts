import { chmod, chown, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openHome } from '../../src/laptop/home.ts';
import { ownerOf } from '../../src/laptop/home-owner.ts';
import { assertPortFree } from '../../src/laptop/ports.ts';
import { steadyPort } from '../world/steady-port.ts';
import { startProgram } from './child.ts';

async function place(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'hapax-home-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  return join(directory, 'home');
}

test('one process has the home to itself until it is killed', async () => {
  const directory = await place();
  const holder = await startProgram('home-holder.ts', directory);
  expect((await stat(directory)).mode & 0o777).toBe(0o700);
  expect(() => openHome(directory)).toThrow(
    `another hapax (pid ${holder.process.pid}, http://127.0.0.1:8123) is using ${directory}: stop it or set HAPAX_HOME`,
  );
  await holder.kill();
  const home = openHome(directory);
  expect(() => openHome(directory)).toThrow(`another hapax (pid ${process.pid}) is using`);
  home.close();
  home.close();
  openHome(directory).close();
});

test.skipIf(process.platform === 'win32')('what is made in a home is for its user alone', async () => {
  const directory = await place();
  await mkdir(directory, { mode: 0o755 });
  await writeFile(join(directory, 'owner.json'), '{}', { mode: 0o644 });
  const home = openHome(directory);
  home.announce({ url: 'http://127.0.0.1:8123', databaseUrl: 'postgres://postgres:secret@127.0.0.1:1/postgres' });
  expect(ownerOf(directory)).toMatchObject({ pid: process.pid, databaseUrl: expect.stringContaining('secret') });
  // A refusal tells where the API is, and no secret.
  expect(() => openHome(directory)).toThrow(/\(pid \d+, http:\/\/127.0.0.1:8123\) is using/);
  await writeFile(join(directory, 'made-later'), '');
  home.close();
  const modes = await Promise.all(['.', 'owner.json', 'lock', 'made-later'].map((name) => stat(join(directory, name))));
  expect(modes.map(({ mode }) => mode & 0o077)).toEqual([0, 0, 0, 0]);
});

test.skipIf(process.platform === 'win32')(
  'a directory with files of others is not taken, and stays as it is',
  async () => {
    const directory = await place();
    await mkdir(directory, { mode: 0o755 });
    await writeFile(join(directory, 'notes.txt'), '');
    await chmod(directory, 0o755);
    expect(() => openHome(directory)).toThrow(
      `cannot use ${directory} (HAPAX_HOME): it is no home of Hapax and holds notes.txt; set HAPAX_HOME to a directory of its own`,
    );
    expect([(await stat(directory)).mode & 0o777, await readdir(directory)]).toEqual([0o755, ['notes.txt']]);
    // One that is a home already may hold more.
    await writeFile(join(directory, 'lock'), '');
    openHome(directory).close();
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
  },
);

test.skipIf(process.getuid?.() !== 0)('a directory of another user is not taken', async () => {
  const directory = await place();
  openHome(directory).close();
  await chown(directory, 4_321, 4_321);
  expect(() => openHome(directory)).toThrow(
    `cannot use ${directory} (HAPAX_HOME): it belongs to the user with id 4321; run Hapax as that user, not as the one with id 0`,
  );
});

test('what a backup kept apart can be put in a directory before it becomes a home', async () => {
  const directory = await place();
  await mkdir(join(directory, 'lost+found'), { recursive: true });
  await writeFile(join(directory, 'checkpoint.key'), 'key', { mode: 0o600 });
  openHome(directory).close();
});

test.skipIf(process.platform === 'win32')('nobody else can say where the database of a home is', async () => {
  const directory = await place();
  await mkdir(directory);
  const file = join(directory, 'owner.json');
  const write = async (owner: object, mode = 0o600) => {
    await writeFile(file, JSON.stringify(owner));
    await chmod(file, mode);
  };
  const owner = { pid: process.pid, databaseUrl: 'postgres://postgres:secret@127.0.0.1:1/postgres' };
  await write(owner);
  expect(ownerOf(directory)).toEqual(owner);
  await write(owner, 0o644); // as in a checkout
  expect(ownerOf(directory)).toBeUndefined();
  await write({ ...owner, databaseUrl: 'postgres://postgres:secret@db.evil.example/postgres' });
  expect(ownerOf(directory)).toBeUndefined();
});

test('a home that cannot be made is explained', () => {
  expect(() => openHome('/dev/null/home')).toThrow('cannot use /dev/null/home (HAPAX_HOME): ');
});

test('a port in use is refused with the name of its setting', async () => {
  const port = await steadyPort();
  await assertPortFree('127.0.0.1', port, 'PORT');
  const server = createServer();
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  await expect(assertPortFree('127.0.0.1', port, 'PORT')).rejects.toThrow(
    `port ${port} is in use (PORT): stop the other program or set PORT`,
  );
});
