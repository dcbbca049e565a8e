import type { OperationExamples } from './apply.ts';

const request = {
  build: { config: 'fedora' },
  cron: ['0 3 * * SUN'],
  time_zone: 'Europe/Berlin',
};

const made = [{ made: 'build:12' }];

const schedule = {
  build: { config: 'fedora' },
  cron: ['0 3 * * SUN'],
  intervals: [],
  calendars: [],
  except: [],
  time_zone: 'Europe/Berlin',
  start_at: null,
  end_at: null,
  jitter_seconds: 0,
  overlap: 'skip',
  catch_up_seconds: 3_600,
  note: null,
  name: 'weekly-images',
  status: 'active',
  version: 1,
  paused_note: null,
  last_time: '2026-11-22T02:00:00.000Z',
  last_made: made,
  waiting_time: null,
  fired: 4,
  skipped: 0,
  created_at: '2026-10-30T09:12:00.000Z',
  changed_at: '2026-10-30T09:12:00.000Z',
  changed_by: 'local',
};

/** Example bodies of the operations on schedules. */
export const SCHEDULE_EXAMPLES: Readonly<Record<string, OperationExamples>> = {
  listSchedules: { responses: { 200: { schedules: [schedule] } } },
  getSchedule: { responses: { 200: schedule } },
  putSchedule: {
    request,
    responses: { 200: schedule, 201: { ...schedule, last_time: null, last_made: [], fired: 0 } },
  },
  pauseSchedule: {
    request: { note: 'holidays' },
    responses: { 200: { ...schedule, status: 'paused', paused_note: 'holidays' } },
  },
  resumeSchedule: { request: { note: 'back' }, responses: { 200: schedule } },
  triggerSchedule: { responses: { 202: { time: '2026-11-29T10:00:00.000Z', made, refused: [] } } },
  listNextTimes: { responses: { 200: { times: ['2026-11-29T02:00:00.000Z', '2026-12-06T02:00:00.000Z'] } } },
};
