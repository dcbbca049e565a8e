import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildNode } from '../world/n8n-node.ts';
import { installed } from '../world/server-process.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MANIFEST = join(ROOT, 'test/n8n/n8n.json');
/** Where n8n is installed, once per checkout: 1.8 GB. */
export const N8N = join(ROOT, 'build/n8n');

/** Installs the n8n of n8n.json beside this file, and builds our nodes. */
export default function setup(): void {
  if (!isInstalled()) {
    console.log('installing n8n (once, about five minutes) ...');
    mkdirSync(N8N, { recursive: true });
    copyFileSync(MANIFEST, join(N8N, 'package.json'));
    npm(['install', '--ignore-scripts']);
    // The only program of another language that n8n needs. It fits every version of Node, whichever compiles it.
    npm(['rebuild', 'sqlite3']);
  }
  buildNode();
}

function isInstalled(): boolean {
  const there = join(N8N, 'node_modules/n8n/package.json');
  if (!existsSync(there) || !existsSync(join(N8N, 'node_modules/sqlite3/build/Release/node_sqlite3.node')))
    return false;
  const { n8n } = JSON.parse(readFileSync(MANIFEST, 'utf8')).dependencies;
  return JSON.parse(readFileSync(there, 'utf8')).version === n8n;
}

function npm(args: string[]): void {
  // Headers of the Node in PATH, if it came with them: node-gyp would download some.
  const node = installed('node');
  const home = node && dirname(dirname(realpathSync(node)));
  const headers = home && existsSync(join(home, 'include/node')) ? { npm_config_nodedir: home } : {};
  const { status } = spawnSync('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: N8N,
    stdio: 'inherit',
    env: { ...process.env, ...headers, SCARF_ANALYTICS: 'false' },
  });
  if (status !== 0) throw new Error(`npm ${args.join(' ')} failed in ${N8N}`);
}
