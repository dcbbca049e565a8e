import { describe, expect, it } from 'vitest';
import type { BuildView } from '../../src/contracts/builds/build.ts';
import { credentialsOf, REPOSITORY } from '../world/forges.ts';
import { seeded } from '../world/seeded.ts';
import { directory, installation, startGitHub } from './program.ts';

/** `KILLS=20` is a longer run. */
const KILLS = Number(process.env.KILLS ?? 2);
const BUILDS = 6 * KILLS;

describe('one installation on GitHub, Gitea and Forgejo at once', () => {
  it(`loses nothing and sends nothing twice: ${BUILDS} builds, ${KILLS} kills of everything`, async () => {
    const seed = Number(process.env.SEED ?? 1);
    console.log(`kill test of forges: SEED=${seed}`);
    const random = seeded(seed);
    const home = await directory();
    const forges = {
      github: await startGitHub(home, 'github'),
      gitea: await startGitHub(home, 'gitea'),
      forgejo: await startGitHub(home, 'forgejo'),
    };
    const others = (['gitea', 'forgejo'] as const).map((dialect) => ({
      dialect,
      apiUrl: `${forges[dialect].url}/api/v1`,
    }));
    const hapax = await installation(forges.github, {
      FORGE_CREDENTIALS: credentialsOf(others),
    });
    hapax.start();
    await hapax.ready();
    for (const { dialect } of others) {
      const definition = { forge: dialect, credential: dialect, repository: REPOSITORY, workflow: 'build.yml' };
      expect((await hapax.call('PUT', `/configs/by-name/${dialect}`, definition)).status).toBe(201);
    }
    const configurations = ['default', 'gitea', 'forgejo'];

    const accepting = Array.from({ length: BUILDS }, async (_, n) => {
      await until(n * 400);
      return hapax.accepted({ config: configurations[n % 3], ref: `build-${n}` });
    });
    for (let kill = 0; kill < KILLS; kill++) {
      await until(random() * 2_500);
      await hapax.killAll();
      hapax.start();
      await hapax.ready();
    }
    const ids = await Promise.all(accepting);
    const builds: BuildView[] = [];
    for (const id of ids) builds.push(await hapax.buildEnded(id));

    expect(hapax.output + JSON.stringify(builds)).not.toContain('token-of-the-test');
    expect(builds.map((build) => build.status)).toEqual(ids.map(() => 'success'));
    for (const [n, forge] of Object.values(forges).entries()) {
      const { runs, runs_per_token } = await forge.oracle();
      expect(runs).toBe(BUILDS / 3);
      expect(Object.values(runs_per_token)).toEqual(Array(BUILDS / 3).fill(1));
      const own = builds.filter((_, index) => index % 3 === n);
      expect(own.map((build) => build.run_url?.startsWith(forge.url))).toEqual(own.map(() => true));
    }
  }, 900_000);
});

function until(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
