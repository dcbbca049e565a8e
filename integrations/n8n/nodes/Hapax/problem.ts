import {
  type IDataObject,
  type IExecuteSingleFunctions,
  type IN8nHttpFullResponse,
  type INode,
  type INodeExecutionData,
  type JsonObject,
  NodeApiError,
} from 'n8n-workflow';

/** What to do in n8n about a refusal of Hapax. */
const ADVICE: Record<string, string> = {
  unauthorized: 'Put a secret of API_KEYS, or of a key that was created, into the credential.',
  forbidden: 'The key of the credential lacks a right. Use another one.',
  idempotency_key_reused:
    'The key was sent before with other content. Leave Idempotency Key empty, or add {{ $itemIndex }} to it.',
  unprocessable_callback_url:
    'Add the host of n8n to CALLBACK_ALLOWED_HOSTS of Hapax, or set WEBHOOK_URL of n8n to its public address.',
  temporal_unavailable: 'Turn on Retry On Fail in the settings of the node: a repeated request makes nothing twice.',
  database_unavailable: 'Turn on Retry On Fail in the settings of the node: a repeated request makes nothing twice.',
};

/** The error to show for a response that is none of success: the detail of Hapax's problem document, and what to do. */
export function problemOf(node: INode, { statusCode, body }: IN8nHttpFullResponse, itemIndex?: number): NodeApiError {
  const problem = (typeof body === 'object' && body !== null ? body : {}) as IDataObject;
  const httpCode = String(statusCode);
  if (typeof problem.code !== 'string') {
    const message = `HTTP ${httpCode}, and not from Hapax`;
    const description = 'Is the Base URL of the credential that of Hapax? A proxy in between may have answered.';
    return new NodeApiError(node, {}, { message, description, httpCode, itemIndex });
  }
  const { title, detail, code } = problem;
  const errors = (problem.errors ?? []) as Array<{ path: string; message: string }>;
  const description = [...errors.map(({ path, message }) => `${path}: ${message}`), ADVICE[code]]
    .filter((line) => line !== undefined)
    .join('. ');
  const message = [title, detail].filter((part) => part !== undefined).join(': ');
  return new NodeApiError(node, problem as JsonObject, { message, description, httpCode, itemIndex });
}

/** Passes on what Hapax answered; throws where it refused. */
export async function refuseProblems(
  this: IExecuteSingleFunctions,
  items: INodeExecutionData[],
  response: IN8nHttpFullResponse,
): Promise<INodeExecutionData[]> {
  if (response.statusCode >= 400) throw problemOf(this.getNode(), response, this.getItemIndex());
  return items;
}
