import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { noteKeyOf } from '../../src/domain/record/signed-note.ts';
import { eventually } from '../world/eventually.ts';
import { openWorldWith, type SimulatedForge, simulateForge } from '../world/forges.ts';
import { openSigstoreAuthority, type SigstoreAuthority } from '../world/sigstore-authority.ts';
import type { World } from '../world/world.ts';
import { hapax } from './told-builds.ts';

const [IMAGE, REPORT] = ['ab'.repeat(32), 'cd'.repeat(32)];

let world: World;
let gitea: SimulatedForge;
let forgejo: SimulatedForge;
let authority: SigstoreAuthority;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hapax-artifacts-'));
  authority = await openSigstoreAuthority();
  const roots = join(directory, 'roots.jsonl');
  await writeFile(roots, authority.trustedRoot);
  [gitea, forgejo] = await Promise.all([simulateForge('gitea'), simulateForge('forgejo')]);
  world = await openWorldWith([gitea, forgejo], {
    GITHUB_ATTESTATION_ROOTS: roots,
    CHECKPOINT_KEY: noteKeyOf('hapax.test/artifacts', randomBytes(32)),
  });
  await eventually(() => schedule().pause());
});
afterAll(async () => {
  await world?.close();
  await Promise.all([gitea?.close(), forgejo?.close()]);
  await rm(directory, { recursive: true, force: true });
});
beforeEach(async () => {
  await world.github.control('DELETE', '/faults');
  await world.github.set({ artifacts: [], attestations: {}, embeds_bundles: false, may_read_attestations: true });
});

let n = 0;
/** A build that has ended well. */
async function built(about: object = {}) {
  const { json } = await world.trigger({ ref: `left-${++n}`, ...about });
  const build = await world.ended(json.id);
  expect(build.status).toBe('success');
  return build;
}

const schedule = () => world.client.schedule.getHandle('hapax-artifacts');
/** Runs what the schedule runs, from begin to end. The schedule itself is paused: its run of the minute would come on top. */
async function sweep() {
  const { action } = await schedule().describe();
  await world.client.workflow.execute(action.workflowType, { taskQueue: action.taskQueue, workflowId: `sweep-${++n}` });
}

async function recordedNow(id: number) {
  const build = await world.build(id);
  expect(build.artifacts).toEqual(expect.anything());
  return build;
}
const recorded = (id: number) => eventually(() => recordedNow(id));
const provenance = (id: number) => world.call('GET', `/builds/${id}/provenance`);

describe('what a run left', () => {
  it('is recorded with digests, and joined with commit, inputs and run in a statement', async () => {
    const digest = `sha256:${IMAGE}`;
    await world.github.set({
      artifacts: [
        { name: 'image', size_in_bytes: 5, digest },
        { name: 'old', expired: true },
      ],
    });
    const { id } = await built({ inputs: { flavour: 'sway' } });
    await sweep();
    const build = await recorded(id);
    expect(build.artifacts).toMatchObject({
      workflow_run_id: build.workflow_run_id,
      run_attempt: 1,
      artifacts: [
        { name: 'image', size_bytes: 5, digest, expired: false, attestations: [] },
        { name: 'old', digest: null, expired: true, attestations: [] },
      ],
      left_out: 0,
      unavailable: null,
    });
    // The oracle: what GitHub itself says of the run.
    const { head_sha } = (await (
      await fetch(`${world.simulator.url}/repos/acme/images/actions/runs/${build.workflow_run_id}`)
    ).json()) as { head_sha: string };
    expect(build.commit).toBe(head_sha);
    const event = build.events.at(-1)!;
    expect(event.event_type).toBe('artifacts_recorded');
    const { status, json } = await provenance(id);
    expect(status).toBe(200);
    const repository = `${world.simulator.url}/acme/images`;
    expect(json).toEqual({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'image', digest: { sha256: IMAGE } }],
      predicateType: 'https://slsa.dev/provenance/v1',
      predicate: {
        buildDefinition: {
          buildType: 'https://actions.github.io/buildtypes/workflow/v1',
          externalParameters: {
            workflow: { repository, path: '.github/workflows/build.yml', ref: build.ref },
            inputs: build.inputs,
          },
          internalParameters: { event_name: 'workflow_dispatch', build_id: id },
          resolvedDependencies: [{ uri: `git+${repository}@${build.ref}`, digest: { gitCommit: head_sha } }],
        },
        runDetails: {
          builder: { id: world.simulator.url },
          metadata: {
            invocationId: `${build.run_url}/attempts/1`,
            startedOn: build.started_at,
            finishedOn: build.completed_at,
          },
          byproducts: [{ name: `build:${id} event ${event.seq}`, digest: { sha256: event.hash } }],
        },
      },
    });
    await world.client.schedule.getHandle('hapax-checkpoint').trigger();
    const proof = await eventually(async () => {
      const answer = await world.call('GET', `/audit/inclusion?position=${event.id}`);
      expect(answer.status, answer.text).toBe(200);
      return answer.text;
    });
    const extra = Buffer.from(/^extra (\S+)$/m.exec(proof)![1]!, 'base64').toString();
    expect(JSON.parse(extra)).toMatchObject({ stream: `build:${id}`, seq: event.seq, hash: event.hash });
    expect((await hapax(['audit', 'verify'], { DATABASE_URL: world.databaseUrl })).code).toBe(0);
  });

  it('is verified where the run signed an attestation of it, and is said to be not verified where another did', async () => {
    const [image, report] = [`sha256:${IMAGE}`, `sha256:${REPORT}`];
    await world.github.set({
      artifacts: [
        { name: 'image', digest: image },
        { name: 'report', digest: report },
      ],
    });
    const build = await built();
    const run = {
      repositoryUrl: `${world.simulator.url}/acme/images`,
      runUrl: build.run_url!,
      commit: build.commit!,
    };
    const good = await authority.attest({ ...run, digests: [IMAGE] });
    const foreign = await authority.attest({
      ...run,
      repositoryUrl: 'https://github.com/mallory/images',
      digests: [IMAGE],
    });
    await world.github.set({ attestations: { [image]: [good, foreign], [report]: [null, good] } });
    await sweep();
    const [signed, unsigned] = (await recorded(build.id)).artifacts!.artifacts;
    expect(signed!.attestations).toMatchObject([
      { verified: true, fault: null, signer: `${run.repositoryUrl}/.github/workflows/build.yml@refs/heads/main` },
      { verified: false, fault: 'it was signed in another repository: https://github.com/mallory/images' },
    ]);
    expect(unsigned!.attestations).toMatchObject([
      { verified: false, fault: 'the forge does not give its bundle' },
      { verified: false, fault: 'it is about other digests' },
    ]);
    // As GitHub gave them until July 2026.
    await world.github.set({ artifacts: [{ name: 'image', digest: image }], embeds_bundles: true });
    const embedded = await built();
    const about = { ...run, runUrl: embedded.run_url!, commit: embedded.commit!, digests: [IMAGE] };
    await world.github.set({ attestations: { [image]: [await authority.attest(about)] } });
    await sweep();
    expect((await recorded(embedded.id)).artifacts!.artifacts[0]!.attestations).toMatchObject([{ verified: true }]);
  });

  it('is counted beyond what is recorded, and nothing is recorded of a run that left nothing or failed', async () => {
    const nothing = await built();
    const { json } = await world.trigger({ ref: `left-${++n}`, inputs: { simulate: 'failure' } });
    const failed = await world.ended(json.id);
    await sweep();
    expect((await provenance(nothing.id)).json.detail).toContain('has no artifacts');
    expect((await world.build(nothing.id)).artifacts).toBeNull();
    expect((await provenance(failed.id)).json.detail).toContain('only one that succeeded has provenance');
    await world.github.set({ artifacts: Array.from({ length: 60 }, (_, at) => ({ name: `part-${at}` })) });
    const more = await built();
    await sweep();
    const { artifacts } = await recorded(more.id);
    expect(artifacts).toMatchObject({ left_out: 10 });
    expect(artifacts!.artifacts).toHaveLength(50);
    expect((await provenance(more.id)).json.detail).toContain('tells no digests');
  });
});

describe('a forge that does not say what a run left', () => {
  const due = (id: number) => world.db`SELECT tries FROM artifacts_due WHERE build_id = ${id}`;

  it.each(['reject-with-403', 'reject-with-404', 'reject-with-502', 'reset', 'primary-rate-limit'])(
    'holds up no build, and is asked again (%s)',
    async (kind) => {
      await world.github.set({ artifacts: [{ name: 'image', digest: `sha256:${IMAGE}` }] });
      await world.github.fault({ on: 'artifacts', kind, times: null });
      const { id } = await built();
      await sweep();
      await eventually(async () => expect(await due(id)).toMatchObject([{ tries: 1 }]));
      expect((await provenance(id)).json.detail).toMatch(/are not recorded yet: .+; ask again/);
      await world.github.control('DELETE', '/faults');
      await world.liftLimits();
      // The workers may believe in a limit for some time more.
      const build = await eventually(async () => {
        await world.db`UPDATE artifacts_due SET due_at = clock_timestamp()`;
        await sweep();
        return await recordedNow(id);
      });
      expect(build.artifacts).toMatchObject({ artifacts: [{ name: 'image' }] });
      expect(await due(id)).toEqual([]);
    },
  );

  it('is asked for a day; then the record says why it has none', async () => {
    await world.github.set({ artifacts: [{ name: 'image' }] });
    await world.github.fault({ on: 'artifacts', kind: 'reject-with-403', times: null });
    const { id } = await built();
    await sweep();
    await eventually(async () => expect(await due(id)).toMatchObject([{ tries: 1 }]));
    await world.db`
      UPDATE artifacts_due SET ended_at = ended_at - interval '25 hours', due_at = clock_timestamp() WHERE build_id = ${id}`;
    await sweep();
    const { artifacts } = await recorded(id);
    expect(artifacts).toMatchObject({ artifacts: [], unavailable: expect.stringContaining('Resource not accessible') });
    expect((await provenance(id)).json.detail).toContain('Resource not accessible');
  });

  it('may refuse attestations alone; then the record has the artifacts, and says why no more', async () => {
    const digest = `sha256:${IMAGE}`;
    await world.github.set({ artifacts: [{ name: 'image', digest }], may_read_attestations: false });
    const { id } = await built();
    await sweep();
    expect((await recorded(id)).artifacts).toMatchObject({
      artifacts: [{ name: 'image', digest, attestations: [] }],
      unavailable: expect.stringContaining('Resource not accessible'),
    });
    expect((await provenance(id)).json.subject).toEqual([{ name: 'image', digest: { sha256: IMAGE } }]);
  });

  it('is Gitea, which tells no digests, and Forgejo, which lists none', async () => {
    await gitea.set({ artifacts: [{ name: 'image', digest: `sha256:${IMAGE}` }] });
    const [onGitea, onForgejo] = [await built({ config: 'gitea' }), await built({ config: 'forgejo' })];
    await sweep();
    expect(await recorded(onGitea.id)).toMatchObject({
      commit: expect.stringMatching(/^[0-9a-f]{40}$/),
      artifacts: { artifacts: [{ name: 'image', digest: null, attestations: [] }] },
    });
    expect((await provenance(onForgejo.id)).json.detail).toBe('Forgejo has no way to list artifacts');
    expect(await world.build(onForgejo.id)).toMatchObject({ commit: onForgejo.commit, artifacts: null });
  });
});
