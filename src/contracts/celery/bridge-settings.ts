import { amqpUrl, duration, redisUrl } from '../setting-forms.ts';
import { text } from '../text.ts';

/** Settings of the source of Celery's messages, and of the store for results. */
export const bridgeSettings = {
  AMQP_URL: amqpUrl.optional().meta({
    description:
      'RabbitMQ from which the bridge takes tasks that Celery and n8n send. Not set: `hapax up` runs no bridge.',
    secret: true,
  }),
  RESULT_REDIS_URL: redisUrl.optional().meta({
    description:
      'Redis to which the bridge writes results: the `result_backend` of your Celery clients, with its `ssl_...` options. Not set: results are not written to Redis.',
    secret: true,
  }),
  RESULT_KEY_PREFIX: text(100).default('').meta({
    description:
      'The `global_keyprefix` in `result_backend_transport_options` of your Celery clients. As in Celery, `_` is added unless it ends with `:`, `_`, `-` or `.`.',
  }),
  RESULT_EXPIRES: duration(1_000)
    .default(86_400_000)
    .meta({ description: 'How long a result stays in Redis. The record keeps it until it is erased.' }),
};
