import type { INodeProperties } from 'n8n-workflow';
import { fieldsFor, operation, paging, sent } from '../operation';

const RESOURCE = 'content';

const operations: INodeProperties = {
  displayName: 'Operation',
  name: 'operation',
  type: 'options',
  noDataExpression: true,
  displayOptions: { show: { resource: [RESOURCE] } },
  options: [
    operation({
      name: 'Get',
      value: 'get',
      action: 'Get a content',
      description: 'Get a content with its summary and tags',
      method: 'GET',
      url: '=/api/v1/content/{{ encodeURIComponent($parameter.contentId) }}',
    }),
    operation({
      name: 'Get Many',
      value: 'getAll',
      action: 'Get many contents',
      description: 'List contents, the newest first',
      method: 'GET',
      url: '/api/v1/content',
      manner: 'pages',
    }),
  ],
  default: 'get',
};

const get: INodeProperties[] = [
  {
    displayName: 'Content ID',
    name: 'contentId',
    type: 'string',
    required: true,
    default: '={{ $json.content_id }}',
    placeholder: 'yt:dQw4w9WgXcQ',
  },
  {
    displayName: 'Include Text',
    name: 'chunks',
    type: 'boolean',
    default: false,
    description: 'Whether to include the pieces of the text',
    routing: { send: { type: 'query', property: 'chunks', value: '={{ String($value) }}' } },
  },
];

const filters: INodeProperties = {
  displayName: 'Filters',
  name: 'filters',
  type: 'collection',
  placeholder: 'Add Filter',
  default: {},
  options: [
    { displayName: 'Tag', name: 'tag', type: 'string', default: '', routing: sent('tag', 'query') },
    {
      displayName: 'Type',
      name: 'type',
      type: 'options',
      options: [
        { name: 'Web Page', value: 'web' },
        { name: 'YouTube Video', value: 'youtube' },
      ],
      default: 'youtube',
      routing: sent('type', 'query'),
    },
  ],
};

export const content: INodeProperties[] = [
  operations,
  ...fieldsFor(RESOURCE, ['get'], get),
  ...fieldsFor(RESOURCE, ['getAll'], [...paging, filters]),
];
