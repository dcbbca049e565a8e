import type { DialectKind } from '../../src/simulator/dialects/kind.ts';
import { startGitHubSimulator } from '../../src/simulator/github.ts';
import { remote } from '../simulator/harness.ts';
import { openWorld } from './world.ts';

/** Repository of the builds on every forge. */
export const REPOSITORY = 'acme/images';
export const WEBHOOK_SECRET = 'secret-of-the-webhook';

export type SimulatedForge = Awaited<ReturnType<typeof simulateForge>>;

/** A forge with a dialect of its own, whose runs take no time. */
export async function simulateForge(dialect: DialectKind) {
  const simulator = await startGitHubSimulator({ dialect, settings: { queued_for_ms: 20, running_for_ms: 60 } });
  return { ...simulator, ...remote(simulator), dialect };
}

/** `FORGE_CREDENTIALS` for forges that are called as their dialect. */
export function credentialsOf(forges: { dialect: string; apiUrl: string }[]): string {
  return forges.map(({ dialect, apiUrl }) => `${dialect}=${apiUrl.replace('://', '://token-of-the-test@')}`).join(',');
}

/** One installation with GitHub and these forges side by side, each with a build configuration of its name. */
export async function openWorldWith(
  forges: { dialect: DialectKind; apiUrl: string }[],
  settings: Parameters<typeof openWorld>[1] = {},
) {
  const world = await openWorld('server', {
    FORGE_CREDENTIALS: credentialsOf(forges),
    FORGE_WEBHOOK_SECRETS: forges.map(({ dialect }) => `${dialect}=${WEBHOOK_SECRET}`).join(','),
    ...settings,
  });
  for (const { dialect } of forges) {
    const definition = { forge: dialect, credential: dialect, repository: REPOSITORY, workflow: 'build.yml' };
    const saved = await world.call('PUT', `/configs/by-name/${dialect}`, definition);
    if (saved.status !== 201) throw new Error(saved.text);
  }
  return world;
}
