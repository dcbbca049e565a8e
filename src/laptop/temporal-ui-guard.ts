import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostFault, sentByForeignPage } from '../contracts/loopback.ts';

/** Options of {@link guardTemporalUi}. */
export interface UiGuardOptions {
  /** Port to listen on at 127.0.0.1; 0 takes any free one. */
  readonly port: number;
  /** Address of the Web UI. */
  readonly upstream: { readonly host: string; readonly port: number };
  /** Names besides those of loopback by which browsers may address it. */
  readonly trusted: readonly string[];
}

/** A page that shows the Web UI in a frame could trick the user into clicking in it. */
const UNFRAMED = { 'X-Frame-Options': 'DENY' };

/**
 * Serves Temporal's Web UI to programs, to its own page and to people who follow a link to it. The UI itself responds to
 * any name, so a page whose name resolves to loopback could read, start and end workflows with it.
 */
export async function guardTemporalUi({ port, upstream, trusted }: UiGuardOptions) {
  const agent = new Agent({ keepAlive: true });
  const server = createServer((asked, answer) => {
    const fault = faultOf(asked, trusted);
    if (fault) refuse(asked, answer, 403, fault);
    else pass(asked, answer);
  });

  function pass(asked: IncomingMessage, answer: ServerResponse): void {
    const { method, url: path, headers } = asked;
    const passed = request({ ...upstream, agent, method, path, headers }, (upstreamAnswer) => {
      answer.writeHead(upstreamAnswer.statusCode ?? 502, { ...upstreamAnswer.headers, ...UNFRAMED });
      upstreamAnswer.pipe(answer);
      upstreamAnswer.once('error', () => answer.destroy());
    });
    passed.once('error', () => {
      if (answer.headersSent) answer.destroy();
      else refuse(asked, answer, 502, 'the Web UI of Temporal does not answer; try again');
    });
    answer.once('close', () => passed.destroy());
    asked.pipe(passed);
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        agent.destroy();
      }),
  };
}

function faultOf({ method = '', headers }: IncomingMessage, trusted: readonly string[]): string | undefined {
  const header = (name: string) => headers[name]?.toString();
  const foreign = sentByForeignPage(method, header) ? 'web pages of other sites may not send this request' : undefined;
  return hostFault(header, trusted) ?? foreign;
}

function refuse(asked: IncomingMessage, answer: ServerResponse, status: number, detail: string): void {
  asked.resume();
  answer.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', ...UNFRAMED }).end(`hapax: ${detail}\n`);
}
