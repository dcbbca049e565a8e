import { randomBytes } from 'node:crypto';
import type { IDataObject, IHookFunctions, IHttpRequestMethods, IN8nHttpFullResponse } from 'n8n-workflow';
import { problemOf } from '../Hapax/problem';

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

/** A request to Hapax. @returns undefined where there is no such subscription. @throws {NodeApiError} where it is refused. */
export async function ask(
  node: IHookFunctions,
  method: IHttpRequestMethods,
  path: string,
  body?: IDataObject,
): Promise<IDataObject | undefined> {
  const { baseUrl } = await node.getCredentials<{ baseUrl: string }>('hapaxApi');
  const response = (await node.helpers.httpRequestWithAuthentication.call(node, 'hapaxApi', {
    ...{ method, url: `${baseUrl.replace(/\/+$/, '')}${path}`, json: true, ...(body ? { body } : {}) },
    ...{ returnFullResponse: true, ignoreHttpStatusErrors: true },
  })) as IN8nHttpFullResponse;
  if (response.statusCode === 404 && (response.body as IDataObject)?.code === 'not_found') return undefined;
  if (response.statusCode >= 400) throw problemOf(node.getNode(), response);
  return (response.body || {}) as IDataObject;
}
