import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { sleep, workflowInfo } from '@temporalio/workflow';
import type { FireInput } from '../contracts/schedules/fire-workflow.ts';
import { schedules } from './activities.ts';
import type { Fired } from './ports/schedules.ts';

/** The time that a workflow was started for, before any delay; Temporal's schedule sets it. */
const SCHEDULED_TIME = defineSearchAttributeKey('TemporalScheduledStartTime', SearchAttributeType.DATETIME);

/** Fires one time of a schedule, after its jitter. */
export async function fire({ schedule, jitter_seconds, version, time: given }: FireInput): Promise<Fired> {
  const { typedSearchAttributes, startTime } = workflowInfo();
  const time = given ?? (typedSearchAttributes.get(SCHEDULED_TIME) ?? startTime).toISOString();
  // The sandbox's random numbers are the same in each replay.
  const wait = Date.parse(time) + Math.random() * jitter_seconds * 1_000 - Date.now();
  if (jitter_seconds > 0 && wait > 0) await sleep(Math.ceil(wait));
  return schedules.fireSchedule({ schedule, time, version });
}
