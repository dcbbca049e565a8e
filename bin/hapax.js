#!/usr/bin/env node
// Plain JavaScript, for any Node: the rest is TypeScript, which Node runs from version 24 on (packaged with us).
import { spawn } from 'node:child_process';
import nodeModule from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

if (Number.parseInt(process.versions.node, 10) >= 24) {
  nodeModule.enableCompileCache(join(root, 'node_modules/.cache/hapax')); // 0.9 s instead of 1.2 s to load all roles
  const { main } = await import('../src/cli/main.ts');
  await main(process.argv.slice(2));
} else {
  runWith(packagedNode());
}

function packagedNode() {
  try {
    return join(nodeModule.createRequire(import.meta.url).resolve('node/package.json'), '../bin/node');
  } catch {
    console.error('hapax: dependencies are not installed: run "node scripts/install.js" (or "npm ci")');
    process.exit(1);
  }
}

/** @param {string} node */
function runWith(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
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
