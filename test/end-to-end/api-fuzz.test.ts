import { join } from 'node:path';
import { expect, it } from 'vitest';
import { eventually } from '../world/eventually.ts';
import { callers } from '../world/world.ts';
import { processesOf } from './processes-of.ts';
import { directory, Program } from './program.ts';
import { installedSchemathesis } from './schemathesis.ts';

/** `npm run fuzz -- --api` says how long; without it the search ends after so many examples of each operation, however long they take. */
const SECONDS = process.env.FUZZ_SECONDS;
const EXAMPLES = 12;
const SEED = process.env.FUZZ_SEED ?? '1';
const LOOPBACK_ONLY = new URL('../fuzz/loopback-only.ts', import.meta.url).href;

const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
];

it(
  'the API answers whatever it is sent as its description says, and never with 5xx',
  async ({ skip }) => {
    let schemathesis: string;
    try {
      schemathesis = installedSchemathesis();
    } catch (error) {
      const why = `API fuzzing SKIPPED: Schemathesis cannot be had here: ${(error as Error).message}`;
      if (process.env.CI) throw new Error(`${why}, and CI skips nothing`);
      console.warn(why);
      return skip(why);
    }
    const home = await directory();
    const settings = {
      HAPAX_HOME: join(home, 'hapax'),
      TMPDIR: home,
      PORT: '0',
      TEMPORAL_PORT: '0',
      TEMPORAL_UI_PORT: '0',
      // Nobody listens there: the examples of the description name a video.
      YOUTUBE_URL: 'http://127.0.0.1:2',
      NODE_OPTIONS: `--import ${LOOPBACK_ONLY}`,
    };
    const hapax = new Program(process.execPath, ['bin/hapax.js', 'up'], settings, join(home, 'up.log'));
    try {
      const url = await eventually(() => {
        if (!hapax.running) throw new Error(`hapax up ended: ${hapax.output}`);
        const found = /ready; /.test(hapax.output) && /API +(http:\S+)/.exec(hapax.output)?.[1];
        if (!found) throw new Error('it is not ready');
        return found;
      });
      await populate(url);
      const budget = SECONDS === undefined ? ['--max-examples', `${EXAMPLES}`] : ['--max-time', SECONDS];
      console.log(`API fuzzing: seed ${SEED}, ${budget.join(' ')}; longer: npm run fuzz -- --api --seed ${SEED}`);
      const args = [
        ...['run', `${url}/openapi.json`, '--seed', SEED, ...budget, '--checks', CHECKS.join()],
        ...['--phases', 'examples,coverage,fuzzing,stateful', '--generation-database', 'none'],
        ...['--continue-on-failure', '--request-timeout', '60', '--suppress-health-check', 'all', '--warnings', 'off'],
      ];
      // It leaves notes where it runs.
      const inHome = ['-c', 'cd "$0" && exec "$@"', home, schemathesis, ...args];
      const search = new Program('sh', inHome, { TMPDIR: home, NO_COLOR: '1' }, join(home, 'search.log'));
      const { code } = await search.ended;
      console.log(search.output.slice(search.output.lastIndexOf('Test cases:')));
      expect(code, `${search.output}\n${hapax.output.slice(-5_000)}`).toBe(0);
      expect((await callers(url).call('GET', '/health/ready')).status).toBe(200);
    } finally {
      hapax.signal('SIGINT');
      await hapax.ended;
    }
    await eventually(() => expect(processesOf(home)).toEqual([]));
  },
  (Number(SECONDS ?? 0) + 900) * 1_000,
);

/** So that what is asked for by id can be found: ids begin at 1. */
async function populate(url: string): Promise<void> {
  const api = callers(url);
  for (const ref of ['one', 'two', 'three']) expect((await api.trigger({ ref })).status).toBe(202);
}
