import { LIMITS } from '../../contracts/budgets.ts';
import type { FailedJob } from '../../contracts/builds/failed-job.ts';

/** A job of a run as GitHub lists it. */
export interface ListedJob {
  id: number;
  name: string;
  status: string;
  conclusion: string | null;
  url: string | null;
  steps: { number: number; name: string; conclusion: string | null }[];
}

/** A note that a step made for people. */
export type Annotation = FailedJob['annotations'][number];

/** Conclusions that do not explain why a run ended badly. */
const HARMLESS: ReadonlySet<string> = new Set(['success', 'skipped', 'neutral']);
/** Sorted by how much each says, most first. */
const LEVELS = ['failure', 'warning', 'notice'];

/**
 * Returns the jobs that explain why a run ended badly, at most so many that each can be described. Jobs that were only cancelled,
 * such as those beside a failed one in a matrix, count only if no job failed.
 */
export function jobsThatFailed(jobs: readonly ListedJob[]): ListedJob[] {
  const ended = jobs.filter(({ conclusion }) => conclusion !== null && !HARMLESS.has(conclusion));
  const failed = ended.filter(({ conclusion }) => conclusion !== 'cancelled');
  return (failed.length > 0 ? failed : ended).slice(0, LIMITS.failures.jobs);
}

/** Describes failed jobs for the record, within its budget. */
export function describeFailedJobs(
  jobs: readonly ListedJob[],
  annotationsOf: (job: ListedJob) => readonly Annotation[],
): FailedJob[] {
  const described = jobs.map((job) => describe(job, annotationsOf(job)));
  // Drops what says least first: annotations from the end, then steps, then jobs.
  for (const job of described.toReversed()) while (isTooLong(described) && job.annotations.pop());
  for (const job of described.toReversed()) while (isTooLong(described) && job.steps.pop());
  while (isTooLong(described) && described.pop());
  return described;
}

function describe({ name, conclusion, url, steps }: ListedJob, annotations: readonly Annotation[]): FailedJob {
  const failedSteps = steps.filter((step) => step.conclusion !== null && !HARMLESS.has(step.conclusion));
  const loudestFirst = annotations.toSorted((a, b) => rank(a) - rank(b));
  return {
    name: cut(name),
    conclusion: cut(conclusion ?? 'unknown'),
    url: url === null ? null : cut(url),
    steps: failedSteps
      .slice(0, LIMITS.failures.steps)
      .map((step) => ({ number: step.number, name: cut(step.name), conclusion: cut(step.conclusion!) })),
    annotations: loudestFirst.slice(0, LIMITS.failures.annotations).map(({ level, message, path, line }) => ({
      level: cut(level),
      message: cut(message),
      path: cut(path),
      line,
    })),
  };
}

function rank({ level }: Annotation): number {
  const at = LEVELS.indexOf(level);
  return at === -1 ? LEVELS.length : at;
}

function isTooLong(described: readonly FailedJob[]): boolean {
  return new TextEncoder().encode(JSON.stringify(described)).length > LIMITS.failures.recordBytes;
}

/** Returns text that the record can hold: well formed, of limited length, and without control characters other than line feeds and tabs. */
function cut(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: steps write colours and worse into what they annotate.
  const clean = text.toWellFormed().replace(/\u001b\[[\d;]*m|[\u0000-\u0008\u000b-\u001f\u007f]/g, '');
  const most = LIMITS.failures.textCharacters;
  return clean.length <= most ? clean : `${clean.slice(0, most - 1).toWellFormed()}…`;
}
