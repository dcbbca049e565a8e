import type { INodeProperties } from 'n8n-workflow';
import { callbackUrl, fieldsFor, idempotencyKey, operation, paging, seconds, sent, sentJson } from '../operation';

const RESOURCE = 'build';
const ONE = '=/builds/{{ encodeURIComponent($parameter.buildId) }}';

const operations: INodeProperties = {
  displayName: 'Operation',
  name: 'operation',
  type: 'options',
  noDataExpression: true,
  displayOptions: { show: { resource: [RESOURCE] } },
  options: [
    operation({
      name: 'Cancel',
      value: 'cancel',
      action: 'Cancel a build',
      description: 'Stop a build and its run',
      method: 'POST',
      url: `${ONE}/cancel`,
    }),
    operation({
      name: 'Get',
      value: 'get',
      action: 'Get a build',
      description: 'Get the state and the events of a build',
      method: 'GET',
      url: ONE,
    }),
    operation({
      name: 'Get Many',
      value: 'getAll',
      action: 'Get many builds',
      description: 'List builds, the newest first',
      method: 'GET',
      url: '/builds',
      manner: 'pages',
    }),
    operation({
      name: 'Retry',
      value: 'retry',
      action: 'Retry a build',
      description: 'Run a build again that has ended',
      method: 'POST',
      url: `${ONE}/retry`,
    }),
    operation({
      name: 'Trigger',
      value: 'trigger',
      action: 'Trigger a build',
      description: 'Start a build; the same request gets the same build',
      method: 'POST',
      url: '/builds/trigger',
      manner: 'keyed',
    }),
    operation({
      name: 'Wait',
      value: 'wait',
      action: 'Wait for a build',
      description: 'Continue when a build has ended',
      method: 'GET',
      url: ONE,
      manner: 'wait',
    }),
  ],
  default: 'trigger',
};

const buildId: INodeProperties = {
  displayName: 'Build ID',
  name: 'buildId',
  type: 'string',
  required: true,
  default: '={{ $json.id }}',
};

const trigger: INodeProperties[] = [
  {
    displayName: 'Ref',
    name: 'ref',
    type: 'string',
    default: '',
    placeholder: 'main',
    description: 'Branch or tag. If empty: the one of the build configuration.',
    routing: sent('ref'),
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
        displayName: 'Configuration',
        name: 'config',
        type: 'string',
        default: '',
        description: 'Name of the build configuration. Default: the one with the ID 1.',
        routing: sent('config'),
      },
      {
        displayName: 'Fedora Version',
        name: 'fedoraVersion',
        type: 'string',
        default: '',
        placeholder: '43',
        routing: sent('fedora_version'),
      },
      {
        displayName: 'Image Type',
        name: 'imageType',
        type: 'string',
        default: '',
        placeholder: 'fedora-sway-atomic',
        routing: sent('image_type'),
      },
      {
        displayName: 'Inputs',
        name: 'inputs',
        type: 'json',
        default: '{}',
        description: 'More inputs of the workflow, an object',
        routing: sentJson('inputs'),
      },
      {
        displayName: 'Priority',
        name: 'priority',
        type: 'number',
        typeOptions: { minValue: 1, maxValue: 5 },
        default: 3,
        description: '1 is first, 5 is last',
        routing: sent('priority'),
      },
    ],
  },
  idempotencyKey,
];

const filters: INodeProperties = {
  displayName: 'Filters',
  name: 'filters',
  type: 'collection',
  placeholder: 'Add Filter',
  default: {},
  options: [
    { displayName: 'Ref', name: 'ref', type: 'string', default: '', routing: sent('ref', 'query') },
    {
      displayName: 'Repository',
      name: 'repository',
      type: 'string',
      default: '',
      routing: sent('repository', 'query'),
    },
    {
      displayName: 'Since',
      name: 'since',
      type: 'dateTime',
      default: '',
      description: 'Created at this time or later',
      routing: sent('since', 'query'),
    },
    {
      displayName: 'Status',
      name: 'status',
      type: 'options',
      options: [
        { name: 'Cancelled', value: 'cancelled' },
        { name: 'Failure', value: 'failure' },
        { name: 'In Progress', value: 'in_progress' },
        { name: 'Queued', value: 'queued' },
        { name: 'Success', value: 'success' },
      ],
      default: 'failure',
      routing: sent('status', 'query'),
    },
    {
      displayName: 'Text',
      name: 'q',
      type: 'string',
      default: '',
      description: 'Contains this text in any of its fields',
      routing: sent('q', 'query'),
    },
  ],
};

const mode: INodeProperties = {
  displayName: 'Mode',
  name: 'mode',
  type: 'options',
  options: [
    {
      name: 'Automatic',
      value: '',
      description: 'Run again if there was a run and its forge can (Forgejo cannot), otherwise dispatch a new one',
    },
    { name: 'Dispatch a New Run', value: 'redispatch' },
    { name: 'Run Again', value: 'rerun' },
    { name: 'Run Failed Jobs Again', value: 'rerun_failed' },
  ],
  default: '',
  routing: sent('mode'),
};

export const build: INodeProperties[] = [
  operations,
  ...fieldsFor(RESOURCE, ['cancel', 'get', 'retry', 'wait'], [buildId]),
  ...fieldsFor(RESOURCE, ['trigger'], trigger),
  ...fieldsFor(RESOURCE, ['wait'], [seconds]),
  ...fieldsFor(RESOURCE, ['retry'], [mode]),
  ...fieldsFor(RESOURCE, ['getAll'], [...paging, filters]),
];
