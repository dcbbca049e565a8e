import { join } from 'node:path';
import { expect, inject, it, onTestFinished } from 'vitest';
import { eventually } from '../world/eventually.ts';
import { startFreezingProxy } from '../world/freezing-proxy.ts';
import { steadyPort } from '../world/steady-port.ts';
import { openWorld } from '../world/world.ts';
import { directory, Program } from './program.ts';

it('a worker is alive from its start, and ready from when it takes work: a rollout waits for that', async () => {
  const world = await openWorld('server');
  onTestFinished(() => world.close());
  const proxy = await startFreezingProxy(Number(inject('temporalAddress').split(':')[1]));
  onTestFinished(() => proxy.close());
  proxy.cut();
  const home = await directory();
  const port = await steadyPort();
  const environment = {
    DATABASE_URL: world.databaseUrl,
    TEMPORAL_ADDRESS: `127.0.0.1:${proxy.port}`,
    TEMPORAL_NAMESPACE: world.namespace,
    GITHUB_TOKEN: 'test-token',
    GITHUB_REPO: 'acme/images',
    METRICS_PORT: String(port),
    HAPAX_HOME: home,
  };
  const worker = new Program(
    process.execPath,
    ['bin/hapax.js', 'serve', 'worker'],
    environment,
    join(home, 'worker.log'),
  );
  onTestFinished(() => worker.kill());
  const status = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).status;
  await eventually(async () => expect(await status('/health/live')).toBe(200));
  expect(await status('/health/ready')).toBe(503);
  proxy.mend();
  await eventually(async () => expect(await status('/health/ready')).toBe(200));
});
