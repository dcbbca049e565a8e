import { z } from 'zod';
import { isDecodable, LEAST_WEBHOOK_SECRET } from '../setting-forms.ts';

/** A named credential: the root of a forge's REST API and the token for it. */
export interface ForgeCredential {
  apiUrl: string;
  token: string;
}

export const credentialName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,39}$/, 'must be 1 to 40 lower-case letters, digits, hyphens or underscores');

const FORM =
  'must be NAME=https://TOKEN@HOST/api/v1, comma separated, with names of lower-case letters and digits; % in a token is written %25';

/**
 * `NAME=https://TOKEN@HOST/api/v1,...`. The URL is part of the credential. Otherwise, whoever may save a build configuration could have the
 * token sent to a server of their own. Messages never repeat the value.
 */
export const forgeCredentials = z.string().transform((text, context) => {
  const credentials = new Map<string, ForgeCredential>();
  const refuse = (message: string) => {
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  };
  for (const entry of text.split(',')) {
    const [name = '', address = ''] = entry.split(/=(.*)/s).map((part) => part.trim());
    if (!credentialName.safeParse(name).success || !URL.canParse(address)) return refuse(FORM);
    const { protocol, username, password, search, hash, origin, pathname } = new URL(address);
    const isRoot = /^https?:$/.test(protocol) && password === '' && search === '' && hash === '';
    if (!isRoot || username === '' || !isDecodable(username)) return refuse(FORM);
    if (credentials.has(name)) return refuse(`names ${name} twice; give each credential a name of its own`);
    credentials.set(name, {
      apiUrl: `${origin}${pathname}`.replace(/\/+$/, ''),
      token: decodeURIComponent(username),
    });
  }
  return credentials;
});

const SECRETS_FORM = `must be NAME=SECRET, comma separated, with secrets of ${LEAST_WEBHOOK_SECRET} characters or more`;

/** `NAME=SECRET,...`. A name may occur twice while its secret is replaced. */
export const forgeWebhookSecrets = z.string().transform((text, context) => {
  const secrets = new Map<string, string[]>();
  for (const entry of text.split(',')) {
    const [name = '', secret = ''] = entry.split(/=(.*)/s).map((part) => part.trim());
    if (!credentialName.safeParse(name).success || secret.length < LEAST_WEBHOOK_SECRET) {
      context.addIssue({ code: 'custom', message: SECRETS_FORM });
      return z.NEVER;
    }
    secrets.set(name, [...(secrets.get(name) ?? []), secret]);
  }
  return secrets;
});

/** Settings for the forges that build configurations name. */
export const forgeSettings = {
  FORGE_CREDENTIALS: forgeCredentials.default(new Map()).meta({
    description:
      'Credentials that build configurations name, for Gitea, Forgejo and further GitHubs: `NAME=https://TOKEN@HOST/api/v1`, comma separated. A token is sent only to its URL. Set it for the API and the workers.',
    secret: true,
  }),
  FORGE_WEBHOOK_SECRETS: forgeWebhookSecrets.default(new Map()).meta({
    description:
      'Secrets of the webhooks that post to /webhooks/forges/NAME, by the name of the credential: `NAME=SECRET`, comma separated, with secrets of 8 characters or more. To replace one, list old and new: both are accepted.',
    secret: true,
  }),
};
