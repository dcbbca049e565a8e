import type { Bundle } from '@sigstore/bundle';
import type { Signer } from '@sigstore/verify';
import { LIMITS } from '../contracts/budgets.ts';
import type { Attestation } from '../contracts/builds/artifact.ts';
import { canonicalJson, sha256 } from '../domain/record/hash.ts';

/** The artifact and run that an attestation must be about. */
export interface AttestedRun {
  /** Digest of the artifact: `sha256:` and hexadecimal digits. */
  digest: string;
  /** Page of the repository: `https://github.com/OWNER/NAME`. */
  repositoryUrl: string;
  /** Page of the run, without an attempt. */
  runUrl: string;
  /** Commit that the run works on; undefined: unknown, and not checked. */
  commit: string | undefined;
}

/** Verifies Sigstore bundles. */
export type AttestationVerifier = (bundle: unknown, about: AttestedRun) => Attestation;

/** The issuer that certifies the identity of a run: GitHub's OpenID provider. An enterprise has its own below this URL. */
const ISSUER = 'https://token.actions.githubusercontent.com';
const STATEMENT = 'application/vnd.in-toto+json';

/** Prefix of the extensions in a Fulcio certificate, each a DER UTF8String (sigstore/fulcio, docs/oid-info.md). */
const FULCIO = '1.3.6.1.4.1.57264.1.';
const SOURCE_REPOSITORY = `${FULCIO}12`;
const SOURCE_COMMIT = `${FULCIO}13`;
const RUN_INVOCATION = `${FULCIO}21`;

/** The meaning of the library's error codes for an attestation. */
const MEANINGS: Record<string, string> = {
  CERTIFICATE_ERROR: 'its certificate is not one of a trusted root, or was not valid when it signed',
  SIGNATURE_ERROR: 'its signature does not fit what it says',
  TLOG_BODY_ERROR: 'the transparency log has something else in its place',
  TIMESTAMP_ERROR: 'no trusted clock says when it was signed',
};

/** Stands in for a verifier without trusted roots. It verifies nothing, and what is recorded says so. */
export const verifiesNothing: AttestationVerifier = (bundle) =>
  described(bundle, undefined, { fault: 'there is no trusted root: set GITHUB_ATTESTATION_ROOTS' });

/**
 * Returns a verifier of bundles, which works offline with Sigstore's own library. The library is loaded only here, because it costs memory.
 * @param roots trusted roots as JSON, or one JSON document per line, as `gh attestation trusted-root` prints them.
 * @throws {Error} if these are not trusted roots.
 */
export async function attestationVerifier(roots: string): Promise<AttestationVerifier> {
  const [{ bundleFromJSON }, { TrustedRoot }, { toSignedEntity, toTrustMaterial, Verifier }] = await Promise.all([
    import('@sigstore/bundle'),
    import('@sigstore/protobuf-specs'),
    import('@sigstore/verify'),
  ]);
  const verifiers = documentsIn(roots).map((document) => {
    const root = TrustedRoot.fromJSON(document);
    if (root.certificateAuthorities.length === 0) throw new Error('a trusted root names no certificate authority');
    // GitHub's own authority, for private repositories, has timestamps but no transparency logs.
    const atLeast = ({ length }: readonly unknown[]) => Math.min(1, length);
    const thresholds = { tlogThreshold: atLeast(root.tlogs), ctlogThreshold: atLeast(root.ctlogs) };
    return new Verifier(toTrustMaterial(root), { ...thresholds, timestampThreshold: 1 });
  });

  return (given, about) => {
    const read = readBundle(given, bundleFromJSON);
    if ('fault' in read) return described(given, undefined, read);
    const { bundle } = read;
    const statement = statementIn(bundle);
    const faults = new Set<string>();
    for (const verifier of verifiers) {
      try {
        const signer = verifier.verify(toSignedEntity(bundle));
        const fault = signerFault(signer, about) ?? subjectFault(statement, about);
        const verdict = fault === undefined ? { signer: signer.identity?.subjectAlternativeName } : { fault };
        return described(given, statement, verdict);
      } catch (error) {
        faults.add(faultOf(error));
      }
    }
    return described(given, statement, { fault: [...faults].join('; ') });
  };
}

function documentsIn(text: string): unknown[] {
  try {
    return [JSON.parse(text)];
  } catch {
    const lines = text.split('\n').filter((line) => line.trim() !== '');
    return lines.map((line) => JSON.parse(line) as unknown);
  }
}

function readBundle(given: unknown, bundleFromJSON: (json: unknown) => Bundle): { bundle: Bundle } | { fault: string } {
  if (given === null) return { fault: 'the forge does not give its bundle' };
  if (canonicalJson(given).length > LIMITS.artifacts.bundleBytes) return { fault: 'its bundle is too large' };
  try {
    return { bundle: bundleFromJSON(given) };
  } catch (error) {
    return { fault: `it is no Sigstore bundle: ${oneLine(error)}` };
  }
}

interface ReadStatement {
  predicateType?: unknown;
  subject?: Array<{ digest?: { sha256?: unknown } }>;
}

function statementIn({ content }: Bundle): ReadStatement | undefined {
  if (content?.$case !== 'dsseEnvelope' || content.dsseEnvelope.payloadType !== STATEMENT) return undefined;
  try {
    return JSON.parse(content.dsseEnvelope.payload.toString()) as ReadStatement;
  } catch {
    return undefined;
  }
}

function subjectFault(statement: ReadStatement | undefined, { digest }: AttestedRun): string | undefined {
  if (!statement) return 'it holds no in-toto statement';
  const subjects = Array.isArray(statement.subject) ? statement.subject : [];
  const isAbout = subjects.some((subject) => `sha256:${String(subject?.digest?.sha256)}` === digest);
  return isAbout ? undefined : 'it is about other digests';
}

/** Says why the run of the build is not the signer; undefined if it is. The certificate says which run got its key. */
function signerFault({ identity }: Signer, about: AttestedRun): string | undefined {
  const issuer = identity?.extensions?.issuer ?? '';
  if (issuer !== ISSUER && !issuer.startsWith(`${ISSUER}/`))
    return `it was not signed by GitHub Actions, but by ${issuer || 'a key'}`;
  const extension = (oid: string) =>
    utf8StringOf(identity?.oids?.find(({ oid: found }) => found?.id.join('.') === oid)?.value);
  const repository = extension(SOURCE_REPOSITORY);
  if (repository?.toLowerCase() !== about.repositoryUrl.toLowerCase()) {
    return `it was signed in another repository: ${repository}`;
  }
  const run = extension(RUN_INVOCATION);
  if (!run?.toLowerCase().startsWith(`${about.runUrl.toLowerCase()}/attempts/`)) {
    return `it was signed by another run: ${run}`;
  }
  const commit = extension(SOURCE_COMMIT);
  if (about.commit !== undefined && commit !== about.commit) return `it was signed at another commit: ${commit}`;
  return undefined;
}

/** Returns the text of a DER UTF8String. */
function utf8StringOf(der: Uint8Array | undefined): string | undefined {
  if (der?.[0] !== 0x0c) return undefined;
  const lengthBytes = der[1]! < 0x80 ? 1 : 1 + (der[1]! & 0x7f);
  return Buffer.from(der.subarray(1 + lengthBytes)).toString();
}

function faultOf(error: unknown): string {
  const { code = '' } = error as { code?: string };
  const meaning = MEANINGS[code] ?? (code.startsWith('TLOG') ? 'it is not in the transparency log' : 'it is not sound');
  return `${meaning} (${oneLine(error)})`;
}

function oneLine(error: unknown): string {
  return (error as Error).message.replaceAll(/\s+/g, ' ').slice(0, LIMITS.failures.textCharacters);
}

function described(
  bundle: unknown,
  statement: ReadStatement | undefined,
  verdict: { fault: string } | { signer: string | undefined },
): Attestation {
  const predicate_type =
    typeof statement?.predicateType === 'string'
      ? statement.predicateType.slice(0, LIMITS.artifacts.nameCharacters)
      : null;
  const bundle_sha256 = sha256(canonicalJson(bundle));
  return 'fault' in verdict
    ? { predicate_type, verified: false, fault: verdict.fault, signer: null, bundle_sha256 }
    : { predicate_type, verified: true, fault: null, signer: verdict.signer ?? null, bundle_sha256 };
}
