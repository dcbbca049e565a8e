import type { RecordedEvent } from '../../src/contracts/builds/event.ts';
import type { Dice } from './dice.ts';
import type { Installation } from './installation.ts';

/**
 * What becomes of the two stores: Temporal loses everything or is set back to an earlier moment, the record is set back to a copy
 * of an earlier moment, or both are lost and the record is restored from a copy.
 */
export type LossKind = 'temporal lost' | 'temporal set back' | 'record set back' | 'record restored, temporal lost';

/** One loss, and what was left after it. */
export interface Loss {
  at: number;
  kind: LossKind;
  /** Builds that either store still knows; the others are rightly gone. */
  known: ReadonlySet<number>;
  /** Builds that are open in the record and that no workflow leads any more. */
  unled: readonly number[];
  /** Events that the record lost, and that a workflow still knows. */
  events: readonly RecordedEvent[];
  /** Those of them that the workflow of their build had not heard of: the worker died in the middle of the task that recorded them. */
  unheard: ReadonlySet<RecordedEvent>;
}

/** A loss to come: the copy that it goes back to is taken at an earlier moment. */
interface Plan {
  kind: LossKind;
  copiedAt: number;
  at: number;
}

/**
 * Draws the losses of a schedule, milliseconds from its beginning. Both stores are never lost one soon after the other: what is in neither of
 * them nobody can know.
 */
export function drawLosses(dice: Dice, troubleMs: number): Plan[] {
  const kinds = dice.pick<LossKind[]>([
    ['temporal lost', 'temporal set back'],
    ['temporal lost', 'temporal set back'],
    ['record set back'],
    ['record restored, temporal lost'],
  ]);
  const most = kinds[0] === 'record restored, temporal lost' ? 1 : 2;
  return Array.from({ length: dice.between(1, most) }, () => {
    const at = dice.pick([dice.between(0, 5 * 60_000), dice.between(0, troubleMs)]);
    const back = dice.pick([dice.between(0, 2_000), dice.between(0, 60_000), dice.between(0, troubleMs)]);
    return { kind: dice.pick(kinds), at, copiedAt: Math.max(0, at - back) };
  }).sort((a, b) => a.at - b.at);
}

/** Whether record and Temporal were compared since the last loss, and no difference is left. */
export function isReconciled({ losses, record }: Installation): boolean {
  const { reconciled_at, unresolved, epoch, reconciled_epoch } = record.installation;
  const isCompared = Date.parse(reconciled_at ?? '') >= (losses.at(-1)?.at ?? 0);
  return losses.length === 0 || (isCompared && unresolved === 0 && reconciled_epoch >= epoch);
}

/**
 * Lets a loss happen at its time: every process dies with it and is started again.
 * @param isDue whether it is to happen then; a schedule may be over before.
 */
export function planLoss(installation: Installation, { kind, at, copiedAt }: Plan, isDue: () => boolean): void {
  const { clock, record, temporal } = installation;
  let putBack = () => {};
  let moment = 0;
  clock.after(copiedAt, () => {
    putBack = record.snapshot();
    moment = clock.now;
  });
  clock.after(at, () => {
    if (!isDue()) return;
    installation.killApi();
    installation.killWorker();
    const before = record.streams;
    if (kind === 'temporal lost' || kind === 'record restored, temporal lost') temporal.setBack();
    if (kind === 'temporal set back') temporal.setBack(moment);
    if (kind === 'record set back' || kind === 'record restored, temporal lost') putBack();
    // As `hapax restore` does.
    if (kind === 'record restored, temporal lost') record.advance(record.lastId);
    const led = new Set(temporal.executions.filter(({ closed }) => !closed).map(({ memo }) => memo.build_id));
    const open = [...record.builds.values()].filter(({ completed_at }) => completed_at === null);
    const lost =
      kind === 'record set back'
        ? [...before].flatMap(([stream, events]) => events.slice(record.streams.get(stream)?.length ?? 0))
        : [];
    const heardUntil = (stream: string) =>
      temporal.executions.findLast(({ memo }) => stream === `build:${memo.build_id}`)?.heardUntil ?? 0;
    installation.losses.push({
      at: clock.now,
      kind,
      known: new Set([...record.builds.keys(), ...temporal.executions.map(({ memo }) => memo.build_id as number)]),
      unled: open.map(({ id }) => id).filter((id) => !led.has(id)),
      events: lost,
      unheard: new Set(lost.filter(({ stream, recorded_at }) => Date.parse(recorded_at) > heardUntil(stream))),
    });
  });
}
