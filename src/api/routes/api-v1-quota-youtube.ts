import { createRoute } from '@hono/zod-openapi';
import { youtubeQuota } from '../../contracts/content/quota.ts';
import { quotaDay, quotaReset } from '../../domain/content/quota-day.ts';
import { type QuotaPolicy, usageOf } from '../../domain/content/youtube-quota.ts';
import { findUnitsUsed } from '../../store/content/quota-find.ts';
import type { Db } from '../../store/database.ts';
import type { Api } from '../environment.ts';
import { jsonResponse, problems } from '../responses.ts';
import { needs } from '../rights.ts';

const route = createRoute({
  method: 'get',
  path: '/api/v1/quota/youtube',
  operationId: 'getYouTubeQuota',
  ...needs('read'),
  tags: ['content'],
  summary: 'Get the YouTube quota that is left today',
  responses: { 200: jsonResponse('The quota of this day', youtubeQuota), ...problems('database_unavailable') },
});

export function getYouTubeQuota(api: Api, deps: { db: Db; youtubeQuota: QuotaPolicy }): void {
  api.openapi(route, async (c) => {
    const now = Date.now();
    const date = quotaDay(now);
    const used = await findUnitsUsed(deps.db, date);
    return c.json(
      {
        date,
        ...usageOf(deps.youtubeQuota, used),
        priority_reserved: deps.youtubeQuota.priorityReserved,
        resets_at: new Date(quotaReset(now)).toISOString(),
      },
      200,
    );
  });
}
