import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { applicableFaultSchema, type FaultQueue } from './faults.ts';
import type { Ledger } from './ledger.ts';
import { type Run, runAt, timeline } from './run.ts';
import { type Settings, settingsSchema } from './settings.ts';
import type { Announcer } from './webhooks.ts';

/** The parts that the controls work on. */
export interface Controlled {
  ledger: Ledger;
  faults: FaultQueue;
  announcer: Announcer;
  settings(): Settings;
  change(settings: Partial<Settings>): void;
}

const faultsSchema = z.union([applicableFaultSchema.transform((fault) => [fault]), z.array(applicableFaultSchema)]);

const strangerSchema = z.strictObject({
  repository: z.string().regex(/^[^/]+\/[^/]+$/),
  display_title: z.string(),
  workflow: z.string().default('build.yml'),
  ref: z.string().default('main'),
  event: z.string().default('workflow_dispatch'),
  actor: z.string().default('stranger'),
  inputs: z.record(z.string(), z.string()).default({}),
  /** Default: now. */
  created_at: z.iso.datetime().optional(),
  /** How many such runs to make. */
  count: z.number().int().positive().max(5_000).default(1),
});

const changeSchema = z.union([
  z.strictObject({ status: z.string().min(1), conclusion: z.string().nullable().default(null) }),
  z.strictObject({ action: z.enum(['cancel', 'force_cancel', 'rerun', 'delete']) }),
]);

/** Actions that work on any run in any state. The controls do not ask whether GitHub would allow them. */
const actions = {
  cancel: (ledger: Ledger, run: Run, settings: Settings) => ledger.cancel(run, settings.cancel_takes_ms),
  force_cancel: (ledger: Ledger, run: Run) => ledger.cancel(run, 0),
  rerun: (ledger: Ledger, run: Run) => ledger.rerun(run),
  delete: (ledger: Ledger, run: Run) => ledger.remove(run),
};

const settingsChangeSchema = settingsSchema.partial();

/** Creates the routes under `/_simulator`, for tests and for people. They are never counted, and faults never hit them. */
export function controls({
  ledger,
  faults,
  announcer,
  settings,
  change,
}: Controlled): Hono<{ Bindings: HttpBindings }> {
  const app = new Hono<{ Bindings: HttpBindings }>();

  app.get('/faults', (c) => c.json({ pending: faults.pending() }));
  app.post('/faults', async (c) => {
    const asked = await read(c, faultsSchema);
    if (!asked.success) return c.json(complaint(asked.error), 400);
    faults.add(asked.data);
    return c.json({ pending: faults.pending() });
  });
  app.delete('/faults', (c) => {
    faults.clear();
    return c.body(null, 204);
  });

  app.get('/oracle', (c) => c.json({ ...ledger.oracle(), webhooks: announcer.counts() }));
  app.get('/requests', (c) => c.json({ requests: ledger.lastRequests() }));
  app.get('/runs', (c) => {
    const runs = ledger.all().map(describe);
    return c.json({ count: runs.length, runs });
  });
  app.post('/runs', async (c) => {
    const asked = await read(c, strangerSchema);
    if (!asked.success) return c.json(complaint(asked.error), 400);
    const { count, display_title, created_at, ...rest } = asked.data;
    const runs = Array.from({ length: count }, () =>
      ledger.create({
        ...rest,
        displayTitle: display_title,
        createdAt: created_at === undefined ? undefined : Date.parse(created_at),
        token: rest.inputs[settings().correlation_input] ?? null,
      }),
    );
    return c.json({ runs: runs.map(describe) }, 201);
  });
  app.get('/runs/:id', (c) => {
    const run = ledger.get(Number(c.req.param('id')));
    return run === undefined ? c.json({ message: 'no such run' }, 404) : c.json(describe(run));
  });
  app.post('/runs/:id', async (c) => {
    const run = ledger.get(Number(c.req.param('id')));
    if (run === undefined) return c.json({ message: 'no such run' }, 404);
    const asked = await read(c, changeSchema);
    if (!asked.success) return c.json(complaint(asked.error), 400);
    if ('status' in asked.data) ledger.force(run, asked.data.status, asked.data.conclusion);
    else actions[asked.data.action](ledger, run, settings());
    return c.json(describe(run));
  });

  app.get('/settings', (c) => c.json(settings()));
  app.put('/settings', async (c) => {
    const asked = await read(c, settingsChangeSchema);
    if (!asked.success) return c.json(complaint(asked.error), 400);
    change(asked.data as Partial<Settings>);
    return c.json(settings());
  });
  return app;
}

/** Returns a run as the oracle knows it: with its inputs and its whole history. */
function describe(run: Run) {
  const now = Date.now();
  const state = runAt({ ...run, deletedAt: null }, now);
  const past = timeline(run).filter((moment) => moment.at <= now);
  return {
    id: run.id,
    repository: run.repository,
    workflow: run.workflow,
    ref: run.ref,
    display_title: run.displayTitle,
    event: run.event,
    actor: run.actor,
    run_number: run.runNumber,
    inputs: run.inputs,
    token: run.token,
    created_at: new Date(run.createdAt).toISOString(),
    deleted: run.deletedAt !== null,
    run_attempt: run.attempts.length,
    status: state?.status ?? null,
    conclusion: state?.conclusion ?? null,
    history: past.map(({ at, attempt, status, conclusion }) => ({
      at: new Date(at).toISOString(),
      run_attempt: attempt,
      status,
      conclusion,
    })),
  };
}

async function read<Schema extends z.ZodType>(c: Context, schema: Schema) {
  const body: unknown = await c.req.json().catch(() => undefined);
  return schema.safeParse(body);
}

function complaint(error: z.ZodError) {
  return { message: z.prettifyError(error) };
}
