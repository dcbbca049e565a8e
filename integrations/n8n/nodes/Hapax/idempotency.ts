import { createHash } from 'node:crypto';
import type { IExecuteSingleFunctions, IHttpRequestOptions } from 'n8n-workflow';

/**
 * Sends the key that was given, or one made of the execution and the item. It is the same when n8n runs the node again because it
 * failed, so nothing is made twice, and another one in each execution, loop and item.
 */
export async function sendIdempotencyKey(
  this: IExecuteSingleFunctions,
  options: IHttpRequestOptions,
): Promise<IHttpRequestOptions> {
  const given = this.getNodeParameter('idempotencyKey', '') as string;
  const execution = this.getExecutionId();
  const place = [
    ...[this.getInstanceId(), this.getWorkflow().id, execution, this.getNode().id],
    ...[this.evaluateExpression('{{ $runIndex }}', this.getItemIndex()), this.getItemIndex()],
  ];
  const made = `n8n-${execution}-${createHash('sha256').update(JSON.stringify(place)).digest('hex').slice(0, 24)}`;
  options.headers = {
    ...options.headers,
    'Content-Type': 'application/json',
    'Idempotency-Key': given || made,
  };
  // n8n sends no body at all for an empty object.
  if (Object.keys(options.body ?? {}).length === 0) options.body = '{}';
  return options;
}
