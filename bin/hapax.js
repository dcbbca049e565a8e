#!/usr/bin/env node
// Plain JavaScript, for any Node: the rest is TypeScript, which Node runs from version 24 on (packaged with us).
import { spawn } from 'node:child_process';
import nodeModule from 'node:module';
import { homedir } from 'node:os';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const isInstalled = root.includes(`${sep}node_modules${sep}`);

const args = [fileURLToPath(import.meta.url), ...process.argv.slice(2)];
const role = process.argv[2] === 'serve' ? process.argv[3] : process.argv[2];
/**
 * V8 collects late where the machine has memory, and glibc keeps a heap per thread: without these a worker with 1,000 builds
 * in flight took two to three times the memory. What makes it collect sooner makes the others slower (docs/benchmarks.md).
 */
const FRUGAL =
  {
    up: ['--v8-pool-size=1'],
    worker: ['--v8-pool-size=1', '--max-semi-space-size=2', '--heap-growing-percent=20'],
  }[role ?? ''] ?? [];
const env =
  FRUGAL.length > 0 ? { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '131072', ...process.env } : process.env;

if (Number.parseInt(process.versions.node, 10) < 24) {
  runWith(packagedNode());
} else if (!FRUGAL.every((option) => process.execArgv.includes(option)) && process.platform !== 'win32') {
  // The same process, begun anew.
  process.execve(process.execPath, [process.execPath, ...process.execArgv, ...FRUGAL, ...args], env);
} else {
  // An installed package may belong to another user.
  const cache = isInstalled
    ? join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'hapax', `compiled-${process.versions.node}`)
    : join(root, 'node_modules/.cache/hapax');
  nodeModule.enableCompileCache(cache);
  process.env.NODE_COMPILE_CACHE ??= cache; // for the threads
  try {
    const { main } = await import('../src/cli/main.ts');
    await main(process.argv.slice(2));
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    notInstalled(error.message);
  }
}

function packagedNode() {
  try {
    return join(nodeModule.createRequire(import.meta.url).resolve('node/package.json'), '../bin/node');
  } catch (error) {
    return notInstalled(error.message.split('\n', 1)[0]);
  }
}

/** @param {string} missing @returns {never} */
function notInstalled(missing) {
  const remedy = isInstalled
    ? 'use Node 24, or install hapax again and let npm run install scripts (npm install --global --allow-scripts=node hapax)'
    : 'run "node scripts/install.js" (or "npm ci")';
  console.error(`hapax: dependencies are not installed (${missing}): ${remedy}`);
  process.exit(1);
}

/** @param {string} node */
function runWith(node) {
  const child = spawn(node, [...FRUGAL, ...args], { stdio: 'inherit', env });
  child.once('error', (error) => {
    console.error(`hapax: the packaged Node does not run (${error.message}): try "npm rebuild node", or use Node 24`);
    process.exit(1);
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']) {
    process.on(signal, () => {
      // Ctrl-C in a terminal reaches the child without us; twice would mean "at once".
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.once('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
