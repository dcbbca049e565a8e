import { type INodeType, type INodeTypeDescription, NodeConnectionTypes } from 'n8n-workflow';
import { build } from './resources/build';
import { content } from './resources/content';
import { searching } from './resources/search';
import { task } from './resources/task';

export class Hapax implements INodeType {
  description: INodeTypeDescription = {
    displayName: 'Hapax',
    name: 'hapax',
    icon: { light: 'file:../../icons/hapax.svg', dark: 'file:../../icons/hapax.dark.svg' },
    group: ['transform'],
    version: 1,
    subtitle: '={{ $parameter["operation"] + ": " + $parameter["resource"] }}',
    description: 'Start builds and tasks effectively once, wait for them, and search what they stored',
    defaults: { name: 'Hapax' },
    usableAsTool: true,
    inputs: [NodeConnectionTypes.Main],
    outputs: [NodeConnectionTypes.Main],
    credentials: [{ name: 'hapaxApi', required: true }],
    requestDefaults: {
      baseURL: '={{ $credentials.baseUrl.replace(/\\/+$/, "") }}',
      headers: { Accept: 'application/json' },
      ignoreHttpStatusErrors: true,
    },
    properties: [
      {
        displayName: 'Resource',
        name: 'resource',
        type: 'options',
        noDataExpression: true,
        options: [
          { name: 'Build', value: 'build' },
          { name: 'Content', value: 'content' },
          { name: 'Search', value: 'search' },
          { name: 'Task', value: 'task' },
        ],
        default: 'build',
      },
      ...build,
      ...content,
      ...searching,
      ...task,
    ],
  };
}
