import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../world/eventually.ts';
import type { Installation, Part } from './installation.ts';

/** What was lost, and when; milliseconds since the epoch. */
export interface Loss {
  kind: string;
  name: string;
  at: number;
  /** When it was started again. */
  backAt: number;
}

/** A kind of loss. `run` resolves when what was lost is back. */
interface Kind {
  kind: string;
  run(n: number, downMs: number): Promise<string>;
}

/** All kinds, in the order in which they come. */
export function kindsOf({ cluster, apis, workers, bridge, database, rabbit, rollWorkers }: Installation): Kind[] {
  const killed = async (part: Part, downMs: number) => {
    await part.kill();
    await delay(downMs);
    part.start();
    return part.name;
  };
  const nth = <T>(all: readonly T[], n: number): T => all[n % all.length]!;
  return [
    {
      kind: 'Temporal node, kill -9',
      async run(n, downMs) {
        const node = nth(cluster.nodes, n);
        await node.kill();
        await delay(downMs);
        node.start();
        return node.address;
      },
    },
    { kind: 'API, kill -9', run: (n, downMs) => killed(nth(apis, n), downMs) },
    { kind: 'worker, kill -9', run: (n, downMs) => killed(nth(workers, n), downMs) },
    {
      kind: 'Temporal node, frozen',
      async run(n, downMs) {
        const node = nth(cluster.nodes, n + 1);
        node.freeze();
        await delay(downMs);
        node.thaw();
        return node.address;
      },
    },
    { kind: 'bridge, kill -9', run: (_, downMs) => killed(bridge, downMs) },
    {
      kind: 'Postgres, immediate restart',
      async run() {
        await database.stop('SIGQUIT');
        await eventually(() => database.start());
        return 'postgres';
      },
    },
    { kind: 'workers, replaced by another version', run: rollWorkers },
    {
      kind: 'RabbitMQ, kill -9',
      async run() {
        await rabbit.stop('SIGKILL');
        await rabbit.start();
        return 'rabbitmq';
      },
    },
  ];
}

/**
 * Loses one after the other, each kind in turn.
 * @param count how many losses
 * @param everyMs from the beginning of one to the beginning of the next, unless one takes longer
 */
export async function lose(kinds: Kind[], { count, everyMs }: { count: number; everyMs: number }): Promise<Loss[]> {
  const losses: Loss[] = [];
  const startedAt = Date.now();
  for (let n = 0; n < count; n++) {
    await delay(Math.max(0, startedAt + n * everyMs + everyMs / 2 - Date.now()));
    const { kind, run } = kinds[n % kinds.length]!;
    const at = Date.now();
    const name = await run(Math.floor(n / kinds.length), everyMs / 3);
    losses.push({ kind, name, at, backAt: Date.now() });
    console.log(`${new Date(at).toISOString()} ${kind}: ${name}`);
  }
  return losses;
}
