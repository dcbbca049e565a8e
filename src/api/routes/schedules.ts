import { createRoute } from '@hono/zod-openapi';
import { scheduleList } from '../../contracts/schedules/schedule.ts';
import { scheduleViewOf } from '../../domain/schedules/schedule-view.ts';
import type { Db } from '../../store/database.ts';
import { listSchedules } from '../../store/schedules/schedule-list.ts';
import type { Api } from '../environment.ts';
import { jsonResponse, problems } from '../responses.ts';
import { needs } from '../rights.ts';

const route = createRoute({
  method: 'get',
  path: '/schedules',
  operationId: 'listSchedules',
  ...needs('read'),
  tags: ['schedules'],
  summary: 'List all schedules by name',
  responses: { 200: jsonResponse('All of them', scheduleList), ...problems('database_unavailable') },
});

export function getSchedules(api: Api, db: Db): void {
  api.openapi(route, async (c) => {
    const schedules = await listSchedules(db, { deleted: false });
    return c.json({ schedules: schedules.map(scheduleViewOf) }, 200);
  });
}
