import { Context } from '@temporalio/activity';
import { LIMITS } from '../contracts/budgets.ts';
import type { Artifact, RunArtifacts } from '../contracts/builds/artifact.ts';
import { backoff } from '../domain/backoff.ts';
import type { Build } from '../domain/builds/build.ts';
import { type RecordedRun, recordedRunIn } from '../domain/builds/provenance.ts';
import type { AttestationVerifier } from '../integrations/attestations.ts';
import { ForgeError } from '../integrations/forges/forge-error.ts';
import type { Forges } from '../integrations/forges/forges.ts';
import {
  type ArtifactDue,
  addArtifactsDue,
  delayArtifacts,
  deleteArtifactsDue,
  listArtifactsDue,
} from '../store/builds/artifact-due.ts';
import { BUILDS } from '../store/builds/build-stream.ts';
import type { Db } from '../store/database.ts';
import { appendEvent } from '../store/record/event-append.ts';
import { SettledLog } from '../store/record/settled-log.ts';
import { findStream } from '../store/record/stream-find.ts';
import type { ArtifactPort } from '../workflows/ports/artifacts.ts';

/** How long to wait for events that are being appended. The next sweep sees the rest. */
const PATIENCE_MS = 5_000;
/** How long a sweep starts on further runs. It has four minutes. */
const BUSY_MS = 120_000;
const AT_ONCE = 50;
const FIRST_PAUSE_MS = 30_000;
const LONGEST_PAUSE_MS = 3_600_000;
const HOUR_MS = 3_600_000;

/** Returns the activity that records the artifacts of runs. It runs after the end of a build, so that it delays none. */
export function artifactActivities(db: Db, forges: Pick<Forges, 'of'>, verify: AttestationVerifier): ArtifactPort {
  return {
    async recordArtifacts() {
      const { cancellationSignal: stop, log } = Context.current();
      const until = performance.now() + BUSY_MS;
      await addArtifactsDue(db, await new SettledLog(db).settle(PATIENCE_MS));
      for (let due = await listArtifactsDue(db, AT_ONCE); due.length > 0; due = await listArtifactsDue(db, AT_ONCE)) {
        for (const run of due) {
          stop.throwIfAborted();
          if (performance.now() > until) return;
          await recordArtifactsOf(run).catch((error: Error) => {
            log.warn('the artifacts of a run are not recorded yet', { build_id: run.build_id, error });
            return delayArtifacts(db, run, pauseAfter(run, error), problemOf(error));
          });
        }
      }
    },
  };

  async function recordArtifactsOf(due: ArtifactDue): Promise<void> {
    const { build_id, workflow_run_id, run_attempt, ended_at } = due;
    const found = await findStream(db, BUILDS, build_id);
    const run = found && recordedRunIn(found.events, workflow_run_id);
    if (!run) return deleteArtifactsDue(db, due);
    const read = await readRun(found.state, workflow_run_id, run).catch((error: Error) => {
      if (Date.now() < Date.parse(ended_at) + LIMITS.artifacts.triedHours * HOUR_MS) throw error;
      return { artifacts: [], left_out: 0, unavailable: problemOf(error) };
    });
    // Most workflows upload nothing. An event that says so would only make the log longer.
    if (read.artifacts.length > 0 || read.unavailable !== null) {
      const data: RunArtifacts = { workflow_run_id, run_attempt, ...read };
      await appendEvent(db, BUILDS, build_id, {
        type: 'artifacts_recorded',
        data,
        occurred_at: new Date().toISOString(),
        dedupe_key: `artifacts:${workflow_run_id}:${run_attempt}`,
      });
    }
    await deleteArtifactsDue(db, due);
  }

  async function readRun(
    { request: { repository, forge: place } }: Build,
    runId: number,
    { url: runUrl, repositoryUrl, commit }: RecordedRun,
  ): Promise<Pick<RunArtifacts, 'artifacts' | 'left_out' | 'unavailable'>> {
    const forge = forges.of(place);
    if (!forge.capabilities.lists_artifacts) return { artifacts: [], left_out: 0, unavailable: null };
    const { artifacts, left_out } = await forge.runs.artifacts(repository, runId);
    const listed: Artifact[] = artifacts.map((artifact) => ({ ...artifact, attestations: [] }));
    for (const artifact of listed.slice(0, LIMITS.artifacts.attested)) {
      const { digest } = artifact;
      if (!digest?.startsWith('sha256:')) continue;
      try {
        const bundles = await forge.runs.attestations(repository, digest);
        artifact.attestations = bundles.map((bundle) => verify(bundle, { digest, runUrl, repositoryUrl, commit }));
      } catch (error) {
        if (!isRefused(error)) throw error;
        return { artifacts: listed, left_out, unavailable: problemOf(error) };
      }
    }
    return { artifacts: listed, left_out, unavailable: null };
  }
}

function problemOf({ message }: Error): string {
  return message.replaceAll(/\s+/g, ' ').slice(0, LIMITS.failures.textCharacters);
}

/** Says whether the credential lacks the right. Then asking again does not help. */
function isRefused(error: unknown): error is ForgeError {
  return error instanceof ForgeError && error.status === 403 && error.retryAfterMs === undefined;
}

function pauseAfter({ tries }: ArtifactDue, error: Error): number {
  const pause = backoff(tries, FIRST_PAUSE_MS, LONGEST_PAUSE_MS, Math.random());
  return Math.max(pause, (error instanceof ForgeError && error.retryAfterMs) || 0);
}
