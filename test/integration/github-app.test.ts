import { generateKeyPairSync, verify } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { GitHub } from '../../src/integrations/github.ts';

/** GitHub as an app meets it: it knows the app by the signature, and a repository by the token of its installation. */
const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
const privateKey = keys.privateKey.export({ type: 'pkcs1', format: 'pem' }) as string;
let server: Server;
let asked: string[];
let tokensWork: boolean;

function isApp(authorization: string): boolean {
  const [head, body, signature] = authorization.replace(/^bearer /i, '').split('.') as [string, string, string];
  const { iss } = JSON.parse(Buffer.from(body, 'base64url').toString()) as { iss: string };
  return (
    String(iss) === '42' &&
    verify('sha256', Buffer.from(`${head}.${body}`), keys.publicKey, Buffer.from(signature, 'base64url'))
  );
}

beforeEach(async () => {
  asked = [];
  tokensWork = true;
  server = createServer((request, response) => {
    const { method, url = '', headers } = request;
    asked.push(`${method} ${url}`);
    const answer = (status: number, body: object) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    const authorization = headers.authorization ?? '';
    if (url === '/repos/acme/images/installation' && isApp(authorization)) return answer(200, { id: 7 });
    if (url === '/app/installations/7/access_tokens' && isApp(authorization)) {
      if (!tokensWork) return answer(502, { message: 'Bad gateway' });
      return answer(201, {
        token: 'ghs_installed',
        expires_at: new Date(Date.now() + 3_600_000).toISOString(),
        permissions: {},
      });
    }
    if (
      url === '/repos/acme/images/actions/workflows/build.yml/dispatches' &&
      authorization === 'token ghs_installed'
    ) {
      return answer(200, {
        workflow_run_id: 5,
        html_url: 'https://github.com/acme/images/actions/runs/5',
        run_url: 'x',
      });
    }
    if (url === '/rate_limit') return answer(200, {});
    answer(404, { message: 'Not Found' });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

const app = () =>
  new GitHub({
    apiUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    auth: { appId: '42', privateKey },
    requestTimeoutMs: 5_000,
  });
const request = (repository: string) => ({ repository, workflow: 'build.yml', ref: 'main', inputs: {} });

it('dispatches as the installation of a GitHub App, whose token it asks for once', async () => {
  const github = app();
  await github.ping();
  for (let n = 0; n < 2; n++) {
    expect(await github.dispatch(request('acme/images'), null)).toMatchObject({ kind: 'accepted', run_id: 5 });
  }
  expect(asked.filter((one) => /installation/.test(one))).toEqual([
    'GET /repos/acme/images/installation',
    'POST /app/installations/7/access_tokens',
  ]);
});

it('says where the app is not installed, and sends nothing', async () => {
  const outcome = await app().dispatch(request('acme/other'), null);
  expect(outcome).toMatchObject({
    kind: 'rejected',
    status: 404,
    message: expect.stringMatching(/no token for acme\/other/),
  });
  expect(asked.filter((one) => /dispatches/.test(one))).toEqual([]);
});

it('knows that nothing was sent where GitHub gives no token for a while', async () => {
  tokensWork = false;
  expect(await app().dispatch(request('acme/images'), null)).toMatchObject({ kind: 'not_sent' });
  expect(asked.filter((one) => /dispatches/.test(one))).toEqual([]);
});
