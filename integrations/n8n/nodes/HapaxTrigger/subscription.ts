import { randomBytes, randomUUID } from 'node:crypto';
import {
  type IDataObject,
  type IHookFunctions,
  type IHttpRequestMethods,
  type IN8nHttpFullResponse,
  NodeOperationError,
  sleep,
} from 'n8n-workflow';
import { mayPass } from '../Hapax/paging';
import { problemOf } from '../Hapax/problem';

const TRIES = 3;
const PAUSE_MS = 1_000;

/** What a workflow remembers of its subscription. */
export interface Remembered extends IDataObject {
  subscriptionId?: string;
  secret?: string;
  /** What was asked for, to notice a change. */
  asked?: string;
}

/** The subscription as the node's parameters want it. */
export function wanted(node: IHookFunctions): IDataObject {
  const about = node.getNodeParameter('about') as string;
  const { configurations, queues } = node.getNodeParameter('filters', {}) as {
    configurations?: string;
    queues?: string;
  };
  const outcomes = about === 'ends' ? (node.getNodeParameter('outcomes') as string[]) : [];
  const types = about === 'types' ? words(node.getNodeParameter('types') as string) : [];
  const lists = {
    ...{ kinds: node.getNodeParameter('kinds') as string[], outcomes, types },
    ...{ configurations: words(configurations), queues: words(queues) },
  };
  const filter = Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0));
  return {
    url: node.getNodeWebhookUrl('default'),
    name: `n8n: ${node.getWorkflow().name ?? 'a workflow'}`.slice(0, 100),
    filter,
  };
}

const words = (text = '') =>
  text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');

/** A secret of its own for each subscription. */
export const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`;

/** Makes a subscription, once, even if an answer is lost. @returns its id. @throws {NodeApiError} where it is refused. */
export async function subscribe(node: IHookFunctions, body: IDataObject): Promise<string> {
  const headers = { 'Idempotency-Key': `n8n-${randomUUID()}` };
  for (let tried = 1; ; tried++) {
    const made = await ask(node, 'POST', '/subscriptions', body, headers).catch((error: unknown) => {
      if (tried === TRIES || !mayPass(error)) throw error;
      return null;
    });
    if (typeof made?.id === 'string') return made.id;
    if (made !== null) {
      throw new NodeOperationError(node.getNode(), 'There is no Hapax at the Base URL', {
        description: 'Check the Base URL of the credential. It ends before /subscriptions.',
      });
    }
    await sleep(PAUSE_MS);
  }
}

/** A request to Hapax. @returns undefined where there is no such subscription. @throws {NodeApiError} where it is refused. */
export async function ask(
  node: IHookFunctions,
  method: IHttpRequestMethods,
  path: string,
  body?: IDataObject,
  headers?: IDataObject,
): Promise<IDataObject | undefined> {
  const { baseUrl } = await node.getCredentials<{ baseUrl: string }>('hapaxApi');
  const response = (await node.helpers.httpRequestWithAuthentication.call(node, 'hapaxApi', {
    ...{
      method,
      url: `${baseUrl.replace(/\/+$/, '')}${path}`,
      json: true,
      ...(body ? { body } : {}),
      ...(headers ? { headers } : {}),
    },
    ...{ returnFullResponse: true, ignoreHttpStatusErrors: true },
  })) as IN8nHttpFullResponse;
  if (response.statusCode === 404 && (response.body as IDataObject)?.code === 'not_found') return undefined;
  if (response.statusCode >= 400) throw problemOf(node.getNode(), response);
  return (response.body || {}) as IDataObject;
}
