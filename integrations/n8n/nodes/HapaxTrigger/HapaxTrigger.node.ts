import {
  type IDataObject,
  type IHookFunctions,
  type INodeType,
  type INodeTypeDescription,
  type IWebhookFunctions,
  type IWebhookResponseData,
  NodeConnectionTypes,
} from 'n8n-workflow';
import { isSigned } from './signature';
import { ask, newSecret, type Remembered, subscribe, wanted } from './subscription';

export class HapaxTrigger implements INodeType {
  description: INodeTypeDescription = {
    displayName: 'Hapax Trigger',
    name: 'hapaxTrigger',
    icon: { light: 'file:../../icons/hapax.svg', dark: 'file:../../icons/hapax.dark.svg' },
    group: ['trigger'],
    version: 1,
    subtitle: '={{ $parameter["kinds"].join(", ") }}',
    description: 'Starts the workflow when something happens to a build or task',
    defaults: { name: 'Hapax Trigger' },
    inputs: [],
    outputs: [NodeConnectionTypes.Main],
    credentials: [{ name: 'hapaxApi', required: true }],
    webhooks: [{ name: 'default', httpMethod: 'POST', responseMode: 'onReceived', path: 'hapax' }],
    properties: [
      {
        displayName: 'Builds and Tasks',
        name: 'kinds',
        type: 'multiOptions',
        options: [
          { name: 'Builds', value: 'build' },
          { name: 'Tasks', value: 'task' },
        ],
        required: true,
        default: ['build', 'task'],
      },
      {
        displayName: 'Events',
        name: 'about',
        type: 'options',
        options: [
          { name: 'Ends', value: 'ends', description: 'When a build or task has ended' },
          { name: 'Every Event', value: 'all' },
          { name: 'Some Event Types', value: 'types' },
        ],
        default: 'ends',
      },
      {
        displayName: 'Outcomes',
        name: 'outcomes',
        type: 'multiOptions',
        displayOptions: { show: { about: ['ends'] } },
        options: [
          { name: 'Cancelled', value: 'cancelled', description: 'Cancelled, or revoked' },
          { name: 'Failure', value: 'failure' },
          { name: 'Success', value: 'success' },
        ],
        required: true,
        default: ['cancelled', 'failure', 'success'],
      },
      {
        displayName: 'Event Types',
        name: 'types',
        type: 'string',
        displayOptions: { show: { about: ['types'] } },
        required: true,
        default: '',
        placeholder: 'build_needs_attention, task_failed',
        description: 'Separated by commas',
      },
      {
        displayName: 'Filters',
        name: 'filters',
        type: 'collection',
        placeholder: 'Add Filter',
        default: {},
        options: [
          {
            displayName: 'Configurations',
            name: 'configurations',
            type: 'string',
            default: '',
            description: 'Only builds of these build configurations, by name, separated by commas',
          },
          {
            displayName: 'Queues',
            name: 'queues',
            type: 'string',
            default: '',
            placeholder: 'youtube, content',
            description: 'Only tasks of these queues, separated by commas',
          },
        ],
      },
    ],
  };

  webhookMethods = {
    default: {
      /** A subscription that was disabled because n8n was away for days goes on where it stopped. */
      async checkExists(this: IHookFunctions): Promise<boolean> {
        const remembered = this.getWorkflowStaticData('node') as Remembered;
        if (!remembered.subscriptionId) return false;
        const path = `/subscriptions/${remembered.subscriptionId}`;
        const found = await ask(this, 'GET', path);
        if (!found) return false;
        const body = wanted(this);
        if (remembered.asked !== JSON.stringify(body)) {
          await ask(this, 'PUT', path, body);
          remembered.asked = JSON.stringify(body);
        }
        if (found.status === 'disabled') await ask(this, 'POST', `${path}/enable`);
        return true;
      },
      async create(this: IHookFunctions): Promise<boolean> {
        const remembered = this.getWorkflowStaticData('node') as Remembered;
        const body = wanted(this);
        const secret = newSecret();
        const subscriptionId = await subscribe(this, { ...body, secret });
        Object.assign(remembered, { subscriptionId, secret, asked: JSON.stringify(body) });
        return true;
      },
      async delete(this: IHookFunctions): Promise<boolean> {
        const remembered = this.getWorkflowStaticData('node') as Remembered;
        if (remembered.subscriptionId) await ask(this, 'DELETE', `/subscriptions/${remembered.subscriptionId}`);
        for (const name of ['subscriptionId', 'secret', 'asked']) delete remembered[name];
        return true;
      },
    },
  };

  async webhook(this: IWebhookFunctions): Promise<IWebhookResponseData> {
    const { secret } = this.getWorkflowStaticData('node') as Remembered;
    const { rawBody } = this.getRequestObject();
    const headers = this.getHeaderData();
    const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature } = headers;
    if (!secret || !isSigned(secret, { id, timestamp, signature, body: rawBody }, Date.now())) {
      this.getResponseObject().status(401).json({ message: 'The signature does not fit' });
      return { noWebhookResponse: true };
    }
    const body = this.getBodyData();
    if (body.type === 'ping') return { webhookResponse: { message: 'pong' } };
    const event: IDataObject = { webhook_id: id as string, ...body };
    return { workflowData: [this.helpers.returnJsonArray(event)] };
  }
}
