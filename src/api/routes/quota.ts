import { createRoute } from '@hono/zod-openapi';
import { quotaHistory, quotaHistoryQuery } from '../../contracts/content/quota.ts';
import { quotaDay, quotaDaysUntil, quotaReset } from '../../domain/content/quota-day.ts';
import { type QuotaPolicy, usageOf } from '../../domain/content/youtube-quota.ts';
import { listUnitsUsed } from '../../store/content/quota-list.ts';
import type { Db } from '../../store/database.ts';
import type { Api } from '../environment.ts';
import { jsonResponse, problems } from '../responses.ts';
import { needs } from '../rights.ts';

const route = createRoute({
  method: 'get',
  path: '/quota',
  operationId: 'listQuotaDays',
  ...needs('read'),
  tags: ['content'],
  summary: 'Get the YouTube quota that was used on each of the last days',
  description: 'The oldest day first, today last. Days without use are included.',
  request: { query: quotaHistoryQuery },
  responses: {
    200: jsonResponse('The quota by day', quotaHistory),
    ...problems('invalid_request', 'database_unavailable'),
  },
});

export function getQuota(api: Api, { db, youtubeQuota }: { db: Db; youtubeQuota: QuotaPolicy }): void {
  api.openapi(route, async (c) => {
    const now = Date.now();
    const days = quotaDaysUntil(quotaDay(now), c.req.valid('query').days);
    const used = new Map((await listUnitsUsed(db, days[0]!)).map(({ day, units_used }) => [day, units_used]));
    return c.json(
      {
        daily_units: youtubeQuota.dailyUnits,
        priority_reserved: youtubeQuota.priorityReserved,
        resets_at: new Date(quotaReset(now)).toISOString(),
        days: days.map((date) => ({ date, ...usageOf(youtubeQuota, used.get(date) ?? 0) })),
      },
      200,
    );
  });
}
