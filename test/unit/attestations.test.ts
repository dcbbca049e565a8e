import { beforeAll, describe, expect, it } from 'vitest';
import { type AttestationVerifier, attestationVerifier, verifiesNothing } from '../../src/integrations/attestations.ts';
import { type Attesting, openSigstoreAuthority, type SigstoreAuthority } from '../world/sigstore-authority.ts';

const RUN = {
  repositoryUrl: 'https://github.com/acme/images',
  runUrl: 'https://github.com/acme/images/actions/runs/7',
  commit: 'c'.repeat(40),
};
const DIGEST = 'ab'.repeat(32);
const ABOUT = { ...RUN, digest: `sha256:${DIGEST}` };

let authority: SigstoreAuthority;
let other: SigstoreAuthority;
let verify: AttestationVerifier;
beforeAll(async () => {
  [authority, other] = await Promise.all([openSigstoreAuthority(), openSigstoreAuthority()]);
  verify = await attestationVerifier(authority.trustedRoot);
});

const attested = (about: Partial<Attesting> = {}) => authority.attest({ ...RUN, digests: [DIGEST], ...about });
const faultOf = (bundle: unknown) => verify(bundle, ABOUT).fault;

it('an attestation that the run signed for the digest is verified, and says who signed', async () => {
  const bundle = await attested({ digests: ['cd'.repeat(32), DIGEST] });
  const expected = {
    predicate_type: 'https://slsa.dev/provenance/v1',
    verified: true,
    fault: null,
    signer: 'https://github.com/acme/images/.github/workflows/build.yml@refs/heads/main',
  };
  expect(verify(bundle, ABOUT)).toMatchObject(expected);
  // As `gh attestation trusted-root` prints them: one root a line.
  const both = await attestationVerifier(`${other.trustedRoot}\n${authority.trustedRoot}\n`);
  expect(both(bundle, ABOUT)).toMatchObject(expected);
});

describe('an attestation is refused by name', () => {
  it.each<[what: string, about: Partial<Attesting>, fault: RegExp]>([
    ['for another digest', { digests: ['cd'.repeat(32)] }, /^it is about other digests$/],
    [
      'of another repository',
      { repositoryUrl: 'https://github.com/mallory/images' },
      /^it was signed in another repository: https:\/\/github.com\/mallory\/images$/,
    ],
    ['of another run', { runUrl: `${RUN.runUrl}1` }, /^it was signed by another run: .*\/runs\/71\/attempts\/1$/],
    ['of another commit', { commit: 'd'.repeat(40) }, /^it was signed at another commit: d{40}$/],
    [
      'of somebody who is no run',
      { issuer: 'https://accounts.google.com' },
      /^it was not signed by GitHub Actions, but by https:\/\/accounts.google.com$/,
    ],
    [
      'with a certificate that had expired',
      { issuedAt: new Date(Date.now() - 3_600_000) },
      /^its certificate is not one of a trusted root, or was not valid when it signed/,
    ],
  ])('%s', async (_, about, fault) => {
    const verdict = verify(await attested(about), ABOUT);
    expect(verdict.fault).toMatch(fault);
    expect(verdict).toMatchObject({ verified: false, signer: null });
  });

  it('by an authority that is not trusted', async () => {
    expect(faultOf(await other.attest({ ...RUN, digests: [DIGEST] }))).toMatch(
      /^its certificate is not one of a trusted/,
    );
  });

  it('with another payload than was signed, or another signature', async () => {
    const payload = await attested({ digests: ['cd'.repeat(32)] });
    const text = Buffer.from(payload.dsseEnvelope.payload, 'base64').toString().replace('cd'.repeat(32), DIGEST);
    payload.dsseEnvelope.payload = Buffer.from(text).toString('base64');
    expect(faultOf(payload)).toMatch(/^the transparency log has something else in its place/);
    const signature = await attested();
    signature.dsseEnvelope.signatures[0]!.sig = (await attested()).dsseEnvelope.signatures[0]!.sig;
    expect(faultOf(signature)).toMatch(/^the transparency log has something else in its place/);
  });

  it('without an entry in the transparency log, with a larger bundle than may be, or with none', async () => {
    const unlogged = await attested();
    (unlogged.verificationMaterial as { tlogEntries: unknown[] }).tlogEntries = [];
    expect(faultOf(unlogged)).toMatch(/^no trusted clock says when it was signed/);
    expect(faultOf({ ...unlogged, more: 'x'.repeat(300_000) })).toBe('its bundle is too large');
    expect(faultOf({ some: 'thing' })).toMatch(/^it is no Sigstore bundle/);
    expect(faultOf(null)).toBe('the forge does not give its bundle');
  });

  it('where there is no trusted root', async () => {
    expect(verifiesNothing(await attested(), ABOUT).fault).toMatch(/GITHUB_ATTESTATION_ROOTS/);
    await expect(attestationVerifier('{"certificateAuthorities":[]}')).rejects.toThrow(/no certificate authority/);
  });
});
