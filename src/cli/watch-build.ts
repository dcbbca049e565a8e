import { setTimeout as sleep } from 'node:timers/promises';
import type { BuildView } from '../contracts/builds/build.ts';
import type { EventView } from '../contracts/builds/event.ts';
import type { Api } from './client/api.ts';
import { follow } from './client/follow.ts';
import { EXIT, type Exit, Failure } from './failure.ts';
import { statusOf } from './output/build-words.ts';
import { failedJobLines } from './output/failed-jobs.ts';
import { span } from './output/moments.ts';
import { note, paint, print, printJson, redraws } from './output/screen.ts';
import { logLine, Redrawn, timelineRow } from './output/timeline.ts';

export interface WatchOptions {
  json: boolean;
  /** How long to watch; none: until the end. */
  timeoutMs?: number | undefined;
  /** The last event before the command that changed the build. An end up to that event does not count. */
  afterSeq?: number;
}

/** How long Hapax may be away without a break, for example during an update. */
const PATIENCE_MS = 10 * 60_000;
const REDRAW_MS = 1_000;
const AGAIN_MS = 250;

/**
 * Shows a build until it ends or waits for a person. It may not have a run yet. In a terminal, it redraws one timeline; elsewhere, it
 * prints a line for each event.
 */
export async function watchBuild(api: Api, id: number, { json, timeoutMs, afterSeq = 0 }: WatchOptions): Promise<Exit> {
  const path = `/builds/${id}`;
  const stop = new AbortController();
  let view: View | undefined;
  const interrupted = () => {
    view?.leave();
    note(`build ${id} goes on; watch it again with: hapax watch ${id}`);
    process.exit(EXIT.interrupted);
  };
  process.once('SIGINT', interrupted);
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => stop.abort(), timeoutMs);
  try {
    let build = await api.json<BuildView>(path);
    view = json ? jsonView() : redraws() ? drawnView(build) : lineView(id);
    for (const event of build.events) view.event(event);
    let seen = seqOf(build);
    const onAway = (away: Failure | undefined) => view?.away(away?.fault.title);
    while (!isOver(build) || seen <= afterSeq) {
      for await (const event of follow(api, `${path}/events`, {
        afterSeq: seen,
        signal: stop.signal,
        patienceMs: PATIENCE_MS,
        onAway,
      })) {
        view.event(event);
        seen = event.seq;
        if (event.event_type === 'build_needs_attention') break;
      }
      if (stop.signal.aborted) throw timedOut(id);
      build = await api.json<BuildView>(path);
      // The operation that the command requested a moment ago may not have started yet.
      if (seen <= afterSeq) await sleep(AGAIN_MS);
    }
    view.end(build);
    return exitOf(build);
  } finally {
    clearTimeout(timer);
    process.off('SIGINT', interrupted);
    view?.leave();
  }
}

const seqOf = ({ events }: BuildView) => events.at(-1)?.seq ?? 0;
const isOver = ({ completed_at, needs_attention }: BuildView) => completed_at !== null || needs_attention;

function timedOut(id: number): Failure {
  return new Failure(EXIT.timedOut, {
    code: 'timed_out',
    title: `Build ${id} has not ended yet`,
    detail: `it goes on; watch it again with: hapax watch ${id}`,
  });
}

/** Returns the exit status of a command about a build, by the build's state. */
export function exitOf({ status, needs_attention }: Pick<BuildView, 'status' | 'needs_attention'>): Exit {
  if (needs_attention) return EXIT.needsPerson;
  return status === 'success' ? EXIT.success : EXIT.failed;
}

/** A display of a build that is watched. */
interface View {
  event(event: EventView): void;
  /** Called when Hapax is away, and with undefined when it is back. */
  away(reason: string | undefined): void;
  /** Called when no more events come. */
  leave(): void;
  end(build: BuildView): void;
}

/** Prints a line of JSON for each event, and one for the build at the end. */
function jsonView(): View {
  return {
    event: (event) => printJson({ kind: 'event', event }),
    away: sayOnce(),
    leave() {},
    end: (build) => printJson({ kind: 'build', build }),
  };
}

function lineView(id: number): View {
  return {
    event: (event) => print(logLine(`build ${id}`, event)),
    away: sayOnce(),
    leave() {},
    end: (build) => print(...endLines(build)),
  };
}

function drawnView(build: BuildView): View {
  const screen = new Redrawn();
  const events: EventView[] = [];
  let awayFor: string | undefined;
  const rows = () => [...linkIn(events), ...events.map((event) => timelineRow(event, build.created_at))];
  const draw = () => {
    const elapsed = span(Date.now() - Date.parse(build.created_at));
    const title = `${paint(`build ${build.id}`, 'strong')}  ${build.ref}  ${build.repository}  ${paint(elapsed, 'busy')}`;
    const waits =
      build.waits_for.length > 0 && events.length < 2 ? [`waits for build ${build.waits_for.join(', ')}`] : [];
    screen.draw([title, ...rows(), ...waits, ...(awayFor ? [paint(`waiting: ${awayFor}`, 'warn')] : [])]);
  };
  const timer = setInterval(draw, REDRAW_MS);
  return {
    event(event) {
      events.push(event);
      draw();
    },
    away(reason) {
      awayFor = reason;
      draw();
    },
    leave: () => clearInterval(timer),
    end(last) {
      clearInterval(timer);
      screen.clear();
      screen.draw([`${paint(`build ${last.id}`, 'strong')}  ${last.ref}  ${last.repository}`, ...rows()]);
      print(...endLines(last));
    },
  };
}

/** Returns the URL of the run on a line of its own, so that it can be copied. */
function linkIn(events: EventView[]): string[] {
  const url = events.findLast(({ event_type }) => event_type === 'workflow_triggered')?.event_data?.run_url;
  return typeof url === 'string' ? [url] : [];
}

/** Says once that Hapax is away, and once that it is back. */
function sayOnce(): View['away'] {
  let away = false;
  return (reason) => {
    if (reason && !away) note(`hapax: ${reason}; waiting`);
    if (!reason && away) note('hapax: connected again');
    away = reason !== undefined;
  };
}

/** Returns how a build ended and why, and what to do if it waits for a person. */
export function endLines(build: BuildView): string[] {
  const { id, created_at, completed_at, run_url, needs_attention, reason } = build;
  const { text, tone } = statusOf(build);
  if (needs_attention) {
    return [
      paint(`build ${id} needs a person: ${reason}`, 'warn'),
      `  a run of it exists:  hapax adopt ${id} RUN_ID`,
      `  no run of it exists: hapax retry ${id}`,
    ];
  }
  const took = completed_at ? ` in ${span(Date.parse(completed_at) - Date.parse(created_at))}` : '';
  const why = build.status === 'failure' && reason ? `: ${reason}` : '';
  return [
    `build ${id}: ${paint(text, tone)}${took}${why}`,
    ...(run_url ? [`  ${run_url}`] : []),
    ...failedJobLines(build),
  ];
}
