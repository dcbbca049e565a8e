import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { eventually } from '../world/eventually.ts';
import { openWorld, type World } from '../world/world.ts';

const GUIDE = new URL('../../docs/failed-work.md', import.meta.url);

describe("the commands of the operator's guide", () => {
  let world: World;
  let commands: string[];
  beforeAll(async () => {
    world = await openWorld('server');
    const text = await readFile(GUIDE, 'utf8');
    commands = [...text.matchAll(/^```sh\n(temporal [^`]+)\n```$/gm)].map((match) => match[1] as string);
  });
  afterAll(() => world.close());

  /** Runs the guide's command that contains a text, exactly as it stands there. */
  async function run(part: string, variables: Record<string, string> = {}): Promise<string> {
    const command = commands.find((candidate) => candidate.includes(part));
    if (!command) throw new Error(`the guide has no command with ${part}`);
    const { stdout } = await promisify(execFile)('/bin/sh', ['-c', command], {
      env: {
        PATH: `${dirname(inject('temporalCli'))}:${process.env.PATH}`,
        HOME: inject('runDirectory'),
        TEMPORAL_ADDRESS: inject('temporalAddress'),
        TEMPORAL_NAMESPACE: world.namespace,
        ...variables,
      },
    });
    return stdout;
  }

  const doubtfulBuild = async (ref: string) => {
    await world.github.set({ echoes_correlation: false });
    await world.github.fault({ on: 'dispatch', kind: 'accept-then-reset' });
    const { json } = await world.trigger({ ref });
    const build = await eventually(async () => {
      const seen = await world.build(json.id);
      expect(seen.needs_attention).toBe(true);
      return seen;
    });
    return { id: build.id, variables: { WORKFLOW_ID: String(build.events[0]?.event_data?.workflow_id) } };
  };

  it('are all run here', () => {
    expect(commands).toHaveLength(11);
  });

  it('show a build', async () => {
    const { id, variables } = await doubtfulBuild('shown');
    expect(id).toBe(1);
    await eventually(async () => expect(await run('HapaxBuildId')).toContain(variables.WORKFLOW_ID));
    await run('HapaxRepository');
    expect(await run('workflow count')).toMatch(/Total: 1/);
    expect(await run('--name state', variables)).toMatch(/"phase":\s*"needs_attention"/);
    expect(await run('workflow describe', variables)).toContain('build 1: acme/images build.yml @ shown');
    expect(await run('workflow show', variables)).toContain('WorkflowExecutionStarted');
    expect(await run('task-queue describe')).toContain('Pollers:');
  });

  it('list the tasks of a queue that succeeded', async () => {
    const transcript_text = 'The moon pulls at the sea.';
    const kwargs = { url: 'https://youtu.be/dQw4w9WgXcQ', transcript_text };
    const { json } = await world.call('POST', '/tasks', { name: 'ingest_youtube', kwargs, queue: 'content' });
    await eventually(async () => expect(await run('WorkflowType = "taskRun"')).toContain(`task-${json.task_id}`));
  });

  it('adopt a run', async () => {
    const { id, variables } = await doubtfulBuild('adopted');
    const [made] = await world.github.runs();
    await run('--name adopt', { ...variables, RUN_ID: String(made?.id) });
    expect(await world.ended(id)).toMatchObject({ status: 'success', workflow_run_id: made?.id });
  });

  it('cancel a build', async () => {
    const { id, variables } = await doubtfulBuild('cancelled');
    await run('workflow cancel', variables);
    expect(await world.ended(id)).toMatchObject({ status: 'cancelled' });
  });

  it('let a build send again', async () => {
    const { id, variables } = await doubtfulBuild('sent-again');
    await run('--name retry', variables);
    expect(await world.ended(id)).toMatchObject({ status: 'success', attempts: 2 });
  });
});
