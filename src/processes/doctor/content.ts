import type { Check } from '../../contracts/check.ts';
import { reachRabbitMq, reachRedis } from '../../integrations/celery/reachable.ts';
import { hasLocalModel } from '../../integrations/content/local-model.ts';
import { OllamaServer } from '../../integrations/content/ollama-server.ts';
import { modelsOf } from '../content.ts';
import { lineOf, type Patient } from './patient.ts';

/** Checks the models that compute embeddings and write summaries. */
export async function checkModels({ settings }: Patient): Promise<Check[]> {
  const name = 'model';
  if (settings.OLLAMA_URL === undefined) {
    if (hasLocalModel())
      return [{ name, status: 'ok', detail: 'the small model of the package; no summaries without OLLAMA_URL' }];
    return [
      {
        name,
        status: 'note',
        detail: 'there is none: searches go by words only',
        remedy: 'install the optional packages, or set OLLAMA_URL',
      },
    ];
  }
  const server = new OllamaServer(settings.OLLAMA_URL);
  return Promise.all(
    modelsOf(settings).map(async (model): Promise<Check> => {
      const described = await server.describe(model, AbortSignal.timeout(5_000)).catch(() => undefined);
      if (described?.revision !== undefined) return { name, status: 'ok', detail: `${model} is there` };
      const detail = `Ollama does not have ${model}, or does not answer`;
      return { name, status: 'fault', detail, remedy: `start it, or run: ollama pull ${model}` };
    }),
  );
}

export async function checkBroker({ settings: { AMQP_URL: url } }: Patient): Promise<Check[]> {
  if (url === undefined) return [];
  const name = 'rabbitmq';
  return reachRabbitMq(url).then(
    () => [{ name, status: 'ok', detail: `${hostOf(url)} lets us in` }],
    (error) => [
      { name, status: 'fault', detail: `${hostOf(url)}: ${lineOf(error)}`, remedy: 'start it, or correct AMQP_URL' },
    ],
  );
}

export async function checkResults({ settings: { RESULT_REDIS_URL: url } }: Patient): Promise<Check[]> {
  if (url === undefined) return [];
  const name = 'redis';
  return reachRedis(url).then(
    () => [{ name, status: 'ok', detail: `${hostOf(url)} lets us in` }],
    (error) => [
      {
        name,
        status: 'fault',
        detail: `${hostOf(url)}: ${lineOf(error)}`,
        remedy: 'start it, or correct RESULT_REDIS_URL',
      },
    ],
  );
}

/** Returns only host and port: the rest may be secret. */
const hostOf = (url: string) => URL.parse(url)?.host ?? 'the address';
