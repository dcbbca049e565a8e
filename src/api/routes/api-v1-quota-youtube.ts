import { createRoute } from '@hono/zod-openapi';
import { youtubeQuota } from '../../contracts/content/quota.ts';
import { quotaDay, quotaReset } from '../../domain/content/quota-day.ts';
import type { QuotaPolicy } from '../../domain/content/youtube-quota.ts';
import { findUnitsUsed } from '../../store/content/quota-find.ts';
import type { Db } from '../../store/database.ts';
import type { Api } from '../environment.ts';
import { problemResponses } from '../responses.ts';

const route = createRoute({
  method: 'get',
  path: '/api/v1/quota/youtube',
  operationId: 'getYouTubeQuota',
  tags: ['content'],
  summary: 'Get the YouTube quota that is left today',
  responses: {
    200: { description: 'The quota of this day', content: { 'application/json': { schema: youtubeQuota } } },
    ...problemResponses('database_unavailable'),
  },
});

export function getYouTubeQuota(api: Api, deps: { db: Db; youtubeQuota: QuotaPolicy }): void {
  api.openapi(route, async (c) => {
    const { dailyUnits, priorityReserved } = deps.youtubeQuota;
    const now = Date.now();
    const date = quotaDay(now);
    const used = await findUnitsUsed(deps.db, 'general', date);
    return c.json(
      {
        date,
        units_used: used,
        units_remaining: Math.max(0, dailyUnits - used),
        priority_reserved: priorityReserved,
        percentage_used: dailyUnits === 0 ? 100 : Math.round((used / dailyUnits) * 10_000) / 100,
        resets_at: new Date(quotaReset(now)).toISOString(),
      },
      200,
    );
  });
}
