import type {
  ICredentialDataDecryptedObject,
  ICredentialTestRequest,
  ICredentialType,
  IHttpRequestOptions,
  INodeProperties,
} from 'n8n-workflow';

export class HapaxApi implements ICredentialType {
  name = 'hapaxApi';

  displayName = 'Hapax API';

  icon = { light: 'file:../icons/hapax.svg', dark: 'file:../icons/hapax.dark.svg' } as const;

  documentationUrl = 'https://github.com/hapax/n8n-nodes-hapax#credentials';

  properties: INodeProperties[] = [
    {
      displayName: 'Base URL',
      name: 'baseUrl',
      type: 'string',
      default: 'http://127.0.0.1:8000',
      required: true,
      description:
        'Where n8n reaches Hapax. In Docker, 127.0.0.1 is the container itself: use the name of the service.',
    },
    {
      displayName: 'API Key',
      name: 'apiKey',
      type: 'string',
      typeOptions: { password: true },
      default: '',
      description: 'A secret of API_KEYS, or of a key that was created. Leave it empty if Hapax has no keys.',
    },
  ];

  /** A function, because a header with an empty key would be refused where none is needed. */
  async authenticate({ apiKey }: ICredentialDataDecryptedObject, options: IHttpRequestOptions) {
    if (apiKey) options.headers = { ...options.headers, Authorization: `Bearer ${String(apiKey)}` };
    return options;
  }

  test: ICredentialTestRequest = {
    request: { baseURL: '={{ $credentials.baseUrl.replace(/\\/+$/, "") }}', url: '/builds', qs: { limit: 1 } },
  };
}
