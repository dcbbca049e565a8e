import { type Answer, ok, refusal } from './answer.ts';
import { artifactAnswer, artifactPage } from './artifacts.ts';
import type { Gate, GitHubRequest } from './gate.ts';
import type { Ledger } from './ledger.ts';
import { numberOf } from './resources.ts';
import { type App, routesOf } from './routes.ts';
import type { Settings } from './settings.ts';

/** Adds the endpoints for the artifacts of a run and who attests them. */
export function addArtifactEndpoints(app: App, gate: Gate, ledger: Ledger, settings: () => Settings): void {
  const { notFound, onRepository, onRun } = routesOf(app, gate, ledger);
  onRun('GET', '/artifacts', 'artifacts', ({ url }, run, state) =>
    artifactPage(run, state, settings().artifacts, url, 'per_page', artifactAnswer),
  );
  onRepository('GET', '/attestations/:digest', 'attestations', listAttestations);
  // Another company serves these, to everybody who has the URL: a Snappy block, which no header names as an encoding.
  app.get('/_bundles/:digest/:name', (c) => {
    if (c.req.header('authorization') !== undefined) return c.text('no credentials belong here', 400);
    const bundle = settings().attestations[c.req.param('digest')]?.[Number.parseInt(c.req.param('name'), 10)];
    if (!bundle) return c.text('null');
    return c.body(snappyBlock(Buffer.from(JSON.stringify(bundle))), 200, { 'content-type': 'application/x-snappy' });
  });

  /** Returns the attestations of a digest. As at GitHub, 404 if there are none. */
  function listAttestations({ params, url }: GitHubRequest, repository: string): Answer {
    if (!settings().may_read_attestations) return refusal(403, 'Resource not accessible by personal access token');
    const bundles = settings().attestations[params.digest ?? ''] ?? [];
    if (bundles.length === 0) return notFound;
    const repository_id = numberOf(repository);
    const attestations = bundles.map((bundle, index) => ({
      bundle: settings().embeds_bundles ? bundle : null,
      repository_id,
      bundle_url: `${url.origin}/_bundles/${params.digest}/${index}.json.sn`,
      initiator: 'user',
    }));
    return ok({ attestations });
  }
}

/** Writes a text as Snappy does if it finds nothing to shorten: its length, and one literal of at most 64 KiB. */
function snappyBlock(text: Uint8Array): ArrayBuffer {
  const head: number[] = [];
  for (let rest = text.length; ; rest >>>= 7) {
    head.push(rest < 128 ? rest : (rest & 127) | 128);
    if (rest < 128) break;
  }
  const last = text.length - 1;
  return new Uint8Array([...head, 0xf4, last & 255, (last >> 8) & 255, ...text]).buffer;
}
