import { createRoute, z } from '@hono/zod-openapi';
import { cors } from 'hono/cors';
import { LIMITS } from '../../contracts/budgets.ts';
import type { Api } from '../environment.ts';
import { BODY_PROBLEMS, jsonBody, jsonResponse, problems } from '../responses.ts';
import { needs } from '../rights.ts';

/** A payload of Temporal in the JSON form of its protocol, with bytes in base64. */
const payload = z.object({ metadata: z.record(z.string(), z.base64()).default({}), data: z.base64().default('') });
export type JsonPayload = z.output<typeof payload>;

/** Decrypts payloads. @throws {Refusal} if it cannot decrypt one. */
export type DecodePayloads = (payloads: JsonPayload[]) => Promise<JsonPayload[]>;

const payloads = z
  .object({ payloads: z.array(payload).max(LIMITS.requests.payloads) })
  .meta({ id: 'TemporalPayloads' });

const PATH = '/temporal/decode';

const route = createRoute({
  method: 'post',
  path: PATH,
  operationId: 'decodePayloads',
  ...needs('operate'),
  tags: ['operations'],
  summary: "Decrypt payloads for Temporal's Web UI and command line",
  description:
    "Temporal's codec server protocol, for what `TEMPORAL_CODEC_KEYS` encrypts: `temporal --codec-endpoint http://HOST:8000/temporal --codec-auth 'Bearer KEY'`. Payloads that are not encrypted come back as they are. Pages at `TEMPORAL_UI_URL` may send it.",
  request: { body: jsonBody(payloads) },
  responses: {
    200: jsonResponse('The same payloads, readable', payloads),
    ...problems('invalid_request', ...BODY_PROBLEMS, 'unprocessable_payloads'),
  },
});

/** Lets pages of Temporal's Web UI send requests. It comes before the gate, because browsers ask permission without a key. */
export function allowTemporalUi(api: Api, uiUrl: string | undefined): void {
  if (uiUrl === undefined) return;
  const { origin } = new URL(uiUrl);
  api.use(
    PATH,
    cors({ origin, allowMethods: ['POST'], allowHeaders: ['Authorization', 'Content-Type', 'X-Namespace'] }),
  );
}

export function decodePayloads(api: Api, decode: DecodePayloads): void {
  api.openapi(route, async (c) => c.json({ payloads: await decode(c.req.valid('json').payloads) }, 200));
}
