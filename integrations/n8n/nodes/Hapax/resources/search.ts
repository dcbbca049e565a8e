import type { INodeProperties } from 'n8n-workflow';
import { fieldsFor, operation, sent } from '../operation';

const RESOURCE = 'search';

const operations: INodeProperties = {
  displayName: 'Operation',
  name: 'operation',
  type: 'options',
  noDataExpression: true,
  displayOptions: { show: { resource: [RESOURCE] } },
  options: [
    operation({
      name: 'Search',
      value: 'search',
      action: 'Search contents',
      description: 'Find contents by meaning and by words',
      method: 'POST',
      url: '/api/v1/search',
    }),
  ],
  default: 'search',
};

const search: INodeProperties[] = [
  { displayName: 'Query', name: 'query', type: 'string', required: true, default: '', routing: sent('query') },
  {
    displayName: 'Limit',
    name: 'limit',
    type: 'number',
    typeOptions: { minValue: 1 },
    default: 50,
    description: 'Max number of results to return',
    routing: sent('limit'),
  },
  {
    displayName: 'Tags',
    name: 'tags',
    type: 'string',
    default: '',
    description: 'Only contents that have all of these, separated by commas',
    routing: {
      send: {
        type: 'body',
        property: 'tags',
        value: '={{ $value ? $value.split(",").map((tag) => tag.trim()).filter((tag) => tag) : undefined }}',
      },
    },
  },
];

export const searching: INodeProperties[] = [operations, ...fieldsFor(RESOURCE, ['search'], search)];
