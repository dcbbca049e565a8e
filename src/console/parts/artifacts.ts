import { html } from 'hono/html';
import type { Artifact, Attestation, RunArtifacts } from '../../contracts/builds/artifact.ts';
import type { Html, View } from '../view.ts';
import { badge } from './badge.ts';
import { facts } from './facts.ts';
import { counted, time } from './time.ts';

/** Returns the artifacts of a build's run and who attests them; nothing if nothing is recorded. */
export function artifactsCard(view: View, id: number, commit: string | undefined, left: RunArtifacts | null): Html {
  if (!left && commit === undefined) return html``;
  const worksOn = commit === undefined ? '' : html`<p class="hint">Commit: <code class="hash">${commit}</code></p>`;
  const hasDigest = left?.artifacts.some(({ digest }) => digest !== null);
  const statement = hasDigest
    ? html`<p class="hint"><a href="builds/${id}/provenance">In-toto statement with SLSA provenance</a></p>`
    : '';
  return html`<section class="card" aria-labelledby="artifacts-title"><h2 id="artifacts-title">Artifacts</h2>${left ? listed(view, left) : html`<p class="hint">None recorded.</p>`}${worksOn}${statement}</section>`;
}

function listed(view: View, { artifacts, left_out, unavailable }: RunArtifacts): Html {
  const why = unavailable === null ? '' : html`<p class="hint">The forge did not tell all: ${unavailable}</p>`;
  const more = left_out > 0 ? html`<p class="hint">And ${left_out} more.</p>` : '';
  return html`${facts(artifacts.map((one) => [one.name, artifact(view, one)]))}${more}${why}`;
}

function artifact(view: View, { digest, size_bytes, expires_at, expired, attestations }: Artifact): Html {
  const kept = expired ? 'expired' : expires_at === null ? '' : html`until ${time(view, expires_at)}`;
  const told = digest === null ? html`<span class="none">no digest</span>` : html`<code class="hash">${digest}</code>`;
  return html`${told}<br>${counted(size_bytes, 'byte')}${kept === '' ? '' : html`, ${kept}`}${attestations.map((one) => html`<br>${attestationLine(one)}`)}`;
}

function attestationLine({ predicate_type, verified, fault, signer }: Attestation): Html {
  const what = predicate_type ?? 'attestation';
  return verified
    ? html`${badge('success', 'Verified')} ${what}, signed by ${signer}`
    : html`${badge('failure', 'Not verified')} ${what}: ${fault}`;
}
