import type { IHttpRequestMethods, INodeProperties, INodePropertyOptions, INodePropertyRouting } from 'n8n-workflow';
import { sendIdempotencyKey } from './idempotency';
import { getPages, waitForEnd } from './paging';
import { refuseProblems } from './problem';

type Manner = 'plain' | 'keyed' | 'pages' | 'wait';
type Operation = Pick<INodePropertyOptions, 'name' | 'value' | 'action' | 'description'> & {
  method: IHttpRequestMethods;
  url: string;
  manner?: Manner;
};

const SEND: Record<Manner, Pick<INodePropertyRouting, 'send' | 'operations'>> = {
  plain: {},
  keyed: { send: { preSend: [sendIdempotencyKey] } },
  pages: { send: { paginate: true }, operations: { pagination: getPages } },
  wait: { send: { paginate: true }, operations: { pagination: waitForEnd } },
};

/** An operation to choose, and the request that it makes. */
export function operation({ method, url, manner = 'plain', ...option }: Operation): INodePropertyOptions {
  return {
    ...option,
    routing: { request: { method, url }, output: { postReceive: [refuseProblems] }, ...SEND[manner] },
  };
}

/** Shows fields for these operations of a resource only. */
export function fieldsFor(resource: string, operation: string[], fields: INodeProperties[]): INodeProperties[] {
  return fields.map((field) => ({
    ...field,
    displayOptions: { show: { ...field.displayOptions?.show, resource: [resource], operation } },
  }));
}

/** Text for a field of the body or the query; empty is left out. */
export const sent = (property: string, type: 'body' | 'query' = 'body'): INodePropertyRouting => ({
  send: { type, property, value: '={{ $value === "" ? undefined : $value }}' },
});

/** JSON, typed in or from an expression. */
export const sentJson = (property: string): INodePropertyRouting => ({
  send: { type: 'body', property, value: '={{ typeof $value === "string" ? JSON.parse($value) : $value }}' },
});

export const idempotencyKey: INodeProperties = {
  displayName: 'Idempotency Key',
  name: 'idempotencyKey',
  type: 'string',
  default: '',
  description:
    'Requests with the same key make one thing. If empty: one key per execution, run of the node and item, so Retry On Fail makes nothing twice. Set a key if the error output leads back to this node.',
};

export const callbackUrl: INodeProperties = {
  displayName: 'Callback URL',
  name: 'callbackUrl',
  type: 'string',
  default: '',
  placeholder: '={{ $execution.resumeUrl }}',
  description: 'Is told of the end. Give the resume URL of a Wait node (On Webhook Call, POST) to continue there.',
  routing: sent('callback_url'),
};

export const seconds: INodeProperties = {
  displayName: 'Wait at Most (Seconds)',
  name: 'seconds',
  type: 'number',
  typeOptions: { minValue: 0, maxValue: 86400 },
  default: 600,
  description: 'If it has not ended by then, the result is its state at that time, with completed_at null',
};

export const paging: INodeProperties[] = [
  {
    displayName: 'Return All',
    name: 'returnAll',
    type: 'boolean',
    default: false,
    description: 'Whether to return all results or only up to a given limit',
  },
  {
    displayName: 'Limit',
    name: 'limit',
    type: 'number',
    typeOptions: { minValue: 1 },
    displayOptions: { show: { returnAll: [false] } },
    default: 50,
    description: 'Max number of results to return',
  },
];
