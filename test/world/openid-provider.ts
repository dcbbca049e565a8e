import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { exportJWK, generateKeyPair } from 'jose';
import { Provider } from 'oidc-provider';
import { steadyPort } from './steady-port.ts';

/** What a provider knows of people, by the name that they enter. */
export type Accounts = Record<string, Record<string, unknown>>;

export const CLIENT_ID = 'hapax';
export const CLIENT_SECRET = 'a-secret-of-the-client';

/** A real OpenID provider on loopback. Its page asks for a name alone; claims come from the page about the user, as standard says. */
export async function startOpenIdProvider(publicUrl: string, accounts: Accounts) {
  const port = await steadyPort();
  const url = `http://127.0.0.1:${port}`;
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const provider = new Provider(url, {
    clients: [
      {
        client_id: CLIENT_ID,
        client_secret: CLIENT_SECRET,
        redirect_uris: [`${publicUrl}/console/sign-in/callback`],
        post_logout_redirect_uris: [`${publicUrl}/console`],
        response_types: ['code'],
        grant_types: ['authorization_code'],
      },
    ],
    claims: { openid: ['sub'], profile: ['preferred_username', 'groups'], email: ['email', 'email_verified'] },
    cookies: { keys: ['a-key-of-the-provider'] },
    features: { devInteractions: { enabled: false } },
    pkce: { required: () => true },
    ttl: { Interaction: 600, Grant: 600, Session: 600, AccessToken: 600, IdToken: 600 },
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig' }] },
    findAccount: (_: unknown, id: string) => ({ accountId: id, claims: () => ({ sub: id, ...accounts[id] }) }),
    // Nobody is asked whether Hapax may know who they are.
    async loadExistingGrant(context: { oidc: { client: { clientId: string }; session: { accountId: string } } }) {
      const { client, session } = context.oidc;
      const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
      grant.addOIDCScope('openid profile email');
      await grant.save();
      return grant;
    },
  });
  const answer = provider.callback();
  const interact = async (request: IncomingMessage, response: ServerResponse) => {
    if (request.method === 'POST') {
      const form = new URLSearchParams(await text(request));
      const login = form.get('login');
      const denied = { error: 'access_denied', error_description: 'the person thought better of it' };
      return provider.interactionFinished(request, response, login ? { login: { accountId: login } } : denied);
    }
    response.setHeader('content-type', 'text/html');
    response.end(
      '<title>Provider</title><form method="post"><label>Name<input name="login"></label><button>Go on</button></form>',
    );
    return undefined;
  };
  const server = createServer((request, response) => {
    void (request.url?.startsWith('/interaction/') ? interact : answer)(request, response);
  });
  const start = async () => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  const stop = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  await start();
  return { url, start, stop };
}
