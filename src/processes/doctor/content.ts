import type { Check } from '../../contracts/check.ts';
import { reachRabbitMq, reachRedis } from '../../integrations/celery/reachable.ts';
import { hasLocalModel } from '../../integrations/content/local-model.ts';
import { OllamaServer } from '../../integrations/content/ollama-server.ts';
import { modelsOf } from '../content.ts';
import { fault, note, ok } from './findings.ts';
import { lineOf, type Patient } from './patient.ts';

/** Checks the models that compute embeddings and write summaries. */
export async function checkModels({ settings }: Patient): Promise<Check[]> {
  const name = 'model';
  if (settings.OLLAMA_URL === undefined) {
    if (hasLocalModel()) return [ok(name, 'the small model of the package; no summaries without OLLAMA_URL')];
    const remedy = 'install the optional packages, or set OLLAMA_URL';
    return [note(name, 'there is none: searches go by words only', remedy)];
  }
  const server = new OllamaServer(settings.OLLAMA_URL);
  return Promise.all(
    modelsOf(settings).map(async (model) => {
      const described = await server.describe(model, AbortSignal.timeout(5_000)).catch(() => undefined);
      if (described?.revision !== undefined) return ok(name, `${model} is there`);
      const detail = `Ollama does not have ${model}, or does not answer`;
      return fault(name, detail, `start it, or run: ollama pull ${model}`);
    }),
  );
}

export async function checkBroker({ settings: { AMQP_URL: url } }: Patient): Promise<Check[]> {
  return url === undefined ? [] : [await checkReached('rabbitmq', url, reachRabbitMq(url), 'AMQP_URL')];
}

export async function checkResults({ settings: { RESULT_REDIS_URL: url } }: Patient): Promise<Check[]> {
  return url === undefined ? [] : [await checkReached('redis', url, reachRedis(url), 'RESULT_REDIS_URL')];
}

function checkReached(name: string, url: string, reached: Promise<void>, setting: string): Promise<Check> {
  // Only host and port: the rest may be secret.
  const host = URL.parse(url)?.host ?? 'the address';
  return reached.then(
    () => ok(name, `${host} lets us in`),
    (error) => fault(name, `${host}: ${lineOf(error)}`, `start it, or correct ${setting}`),
  );
}
