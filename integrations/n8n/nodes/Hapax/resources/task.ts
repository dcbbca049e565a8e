import type { INodeProperties } from 'n8n-workflow';
import { callbackUrl, fieldsFor, idempotencyKey, operation, seconds, sent, sentJson } from '../operation';

const RESOURCE = 'task';
const ONE = '=/tasks/{{ encodeURIComponent($parameter.taskId) }}';

const operations: INodeProperties = {
  displayName: 'Operation',
  name: 'operation',
  type: 'options',
  noDataExpression: true,
  displayOptions: { show: { resource: [RESOURCE] } },
  options: [
    operation({
      name: 'Create',
      value: 'create',
      action: 'Create a task',
      description: 'Start a task; the same request gets the same task',
      method: 'POST',
      url: '/tasks',
      manner: 'keyed',
    }),
    operation({
      name: 'Get',
      value: 'get',
      action: 'Get a task',
      description: 'Get the state and the result of a task',
      method: 'GET',
      url: ONE,
    }),
    operation({
      name: 'Wait',
      value: 'wait',
      action: 'Wait for a task',
      description: 'Continue when a task has ended',
      method: 'GET',
      url: ONE,
      manner: 'wait',
    }),
  ],
  default: 'create',
};

const taskId: INodeProperties = {
  displayName: 'Task ID',
  name: 'taskId',
  type: 'string',
  required: true,
  default: '={{ $json.task_id }}',
};

const create: INodeProperties[] = [
  {
    displayName: 'Name',
    name: 'name',
    type: 'options',
    options: [
      { name: 'Ingest a URL', value: 'ingest_url' },
      { name: 'Ingest a YouTube Video', value: 'ingest_youtube' },
      { name: 'Process Content', value: 'process_content' },
      { name: 'Semantic Search', value: 'semantic_search' },
    ],
    default: 'ingest_youtube',
    routing: sent('name'),
  },
  {
    displayName: 'Arguments',
    name: 'args',
    type: 'json',
    default: '[]',
    placeholder: '["https://youtu.be/dQw4w9WgXcQ"]',
    description: 'Positional arguments, an array',
    routing: sentJson('args'),
  },
  {
    displayName: 'Additional Fields',
    name: 'additionalFields',
    type: 'collection',
    placeholder: 'Add Field',
    default: {},
    options: [
      callbackUrl,
      {
        displayName: 'Named Arguments',
        name: 'kwargs',
        type: 'json',
        default: '{}',
        description: 'An object',
        routing: sentJson('kwargs'),
      },
      {
        displayName: 'Not Before',
        name: 'eta',
        type: 'dateTime',
        default: '',
        description: 'The task does not start before this time',
        routing: sent('eta'),
      },
      {
        displayName: 'Priority',
        name: 'priority',
        type: 'number',
        typeOptions: { minValue: 0, maxValue: 9 },
        default: 5,
        description: '9 is first, 0 is last',
        routing: sent('priority'),
      },
    ],
  },
  idempotencyKey,
];

export const task: INodeProperties[] = [
  operations,
  ...fieldsFor(RESOURCE, ['get', 'wait'], [taskId]),
  ...fieldsFor(RESOURCE, ['create'], create),
  ...fieldsFor(RESOURCE, ['wait'], [seconds]),
];
