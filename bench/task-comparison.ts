import { join } from 'node:path';
import type { BareTasks } from './bare-tasks.ts';
import { startCelery } from './celery.ts';
import type { Round } from './closed-loop.ts';
import type { HttpLoad } from './http-load.ts';
import type { LaptopTasks } from './laptop-tasks.ts';
import { openNamespace } from './namespace.ts';
import { SIMULATOR_URL } from './processes.ts';
import type { Scratch } from './program.ts';

/** How much of each is done in a round. */
export interface TaskExtent {
  rounds: number;
  /** So many at once, by {@link CONNECTIONS}, until all have ended. */
  burst: number;
  /** So many one after the other. */
  sequence: number;
}

/** Rounds of one way to run a task; a burst's latencies are those of acceptance, a sequence's those from request to result. */
export interface TaskRounds {
  burst: Round[];
  sequence: Round[];
}

/** What runs the same task that does nothing, in turn. */
export interface TaskComparison {
  hapax: TaskRounds;
  temporal: TaskRounds;
  /** Left out where it cannot be run here. */
  celery?: TaskRounds;
}

interface Way {
  burst(count: number): Promise<Round>;
  sequence(count: number): Promise<Round>;
}

/** Who asks for tasks at once. */
const CONNECTIONS = 10;
/** Tasks that are worked at at once. */
const CONCURRENCY = 10;

/** Tasks in laptop mode, the same as Temporal alone runs them on the same server, and as Celery does, in turn. */
export async function compareTasks(
  { directory, processes, atEnd }: Scratch,
  extent: TaskExtent,
): Promise<TaskComparison> {
  const github = processes.role('github-of-tasks', ['simulate-github'], {});
  const laptop = processes.helper<LaptopTasks>('laptop-tasks.ts');
  const settings = {
    ...{ PORT: '0', TEMPORAL_UI_PORT: '0', WORKER_CONCURRENCY: `${CONCURRENCY}` },
    ...{ GITHUB_API_URL: await github.said(SIMULATOR_URL), GITHUB_TOKEN: 'bench' },
    GITHUB_REPO: 'octocat/fedora-images',
  };
  const { url, address } = await laptop.ask<{ url: string; address: string }>({
    directory: join(directory, 'tasks'),
    settings,
  });
  await openNamespace(address, 'bench-tasks');
  const bare = processes.helper<BareTasks>('bare-tasks.ts');
  await bare.ask({ kind: 'open', address, namespace: 'bench-tasks', concurrency: CONCURRENCY });
  const load = processes.helper<HttpLoad>('http-load.ts');
  const celery = await startCelery();
  if (celery) atEnd(() => celery.close());
  const ways: Partial<Record<keyof TaskComparison, Way>> = {
    hapax: {
      burst: (count: number) => load.ask<Round>({ kind: 'tasks', url, connections: CONNECTIONS, count }),
      sequence: (count: number) => load.ask<Round>({ kind: 'tasks_in_sequence', url, count }),
    },
    temporal: {
      burst: (count: number) => bare.ask<Round>({ kind: 'burst', connections: CONNECTIONS, count }),
      sequence: (count: number) => bare.ask<Round>({ kind: 'sequence', count }),
    },
    ...(celery && {
      celery: {
        burst: (count: number) => celery.ask({ kind: 'burst', connections: CONNECTIONS, count }),
        sequence: (count: number) => celery.ask({ kind: 'sequence', count }),
      },
    }),
  };
  for (const way of Object.values(ways)) await way.burst(extent.burst); // warms up
  const results = Object.fromEntries(Object.keys(ways).map((name) => [name, { burst: [], sequence: [] }])) as never as {
    [Name in keyof TaskComparison]-?: TaskRounds;
  };
  for (let n = 0; n < extent.rounds; n++) {
    for (const [name, way] of Object.entries(ways) as Array<[keyof TaskComparison, Way]>) {
      results[name].burst.push(await way.burst(extent.burst));
      results[name].sequence.push(await way.sequence(extent.sequence));
    }
  }
  return results;
}
