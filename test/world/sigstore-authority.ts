import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { initializeCA, initializeCTLog, initializeTLog } from '@sigstore/mock';

/** What a certificate says of the run that its key was given to (sigstore/fulcio, docs/oid-info.md). */
export interface Identity {
  /** `https://github.com/OWNER/NAME`. */
  repositoryUrl: string;
  runUrl: string;
  commit: string;
  issuer?: string;
}

export interface Attesting extends Identity {
  /** Digests that the statement is about, hexadecimal. */
  digests: string[];
  /** When the certificate was issued; default: now. It is good for ten minutes. */
  issuedAt?: Date;
}

/** A Sigstore of a test's own: its certificate authority, certificate log and transparency log. */
export interface SigstoreAuthority {
  /** In the form of `gh attestation trusted-root`. */
  trustedRoot: string;
  /** The bundle of an attestation, as GitHub keeps it. */
  attest(attesting: Attesting): Promise<Bundle>;
}

/** As far as tests change one. */
export interface Bundle extends Record<string, unknown> {
  dsseEnvelope: { payload: string; payloadType: string; signatures: Array<{ sig: string; keyid: string }> };
}

type CA = Awaited<ReturnType<typeof initializeCA>>;
type TLog = Awaited<ReturnType<typeof initializeTLog>>;

const PAYLOAD_TYPE = 'application/vnd.in-toto+json';
const FULCIO = '1.3.6.1.4.1.57264.1.';

const newKeys = () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const derOf = (key: KeyObject) => key.export({ format: 'der', type: 'spki' });
const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView<ArrayBuffer>) =>
  Buffer.from(buffer, byteOffset, byteLength);
const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest();

export async function openSigstoreAuthority(): Promise<SigstoreAuthority> {
  const [caKeys, ctKeys, logKeys] = [newKeys(), newKeys(), newKeys()];
  const ctLog = await initializeCTLog(ctKeys);
  const now = await initializeCA(caKeys, ctLog);
  const log = await initializeTLog('https://rekor.test', logKeys);
  const authority = (issuedAt: Date | undefined) => (issuedAt ? initializeCA(caKeys, ctLog, issuedAt) : now);
  return {
    trustedRoot: JSON.stringify(trustedRootOf(now, ctKeys.publicKey, logKeys.publicKey)),
    attest: async (attesting) => attest(await authority(attesting.issuedAt), log, attesting),
  };
}

async function attest(ca: CA, log: TLog, { digests, ...identity }: Attesting): Promise<Bundle> {
  const { publicKey, privateKey } = newKeys();
  const certificate = bytesOf(
    await ca.issueCertificate({
      publicKey: derOf(publicKey) as never,
      subjectAltName: `${identity.repositoryUrl}/.github/workflows/build.yml@refs/heads/main`,
      extensions: extensionsOf(identity),
    }),
  );
  const payload = Buffer.from(
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v1',
      subject: digests.map((digest) => ({ name: 'image', digest: { sha256: digest } })),
      predicateType: 'https://slsa.dev/provenance/v1',
      predicate: {},
    }),
  );
  const signed = Buffer.from(`DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${payload.length} ${payload}`);
  const sig = sign('sha256', signed, privateKey).toString('base64');
  const dsseEnvelope = {
    payload: payload.toString('base64'),
    payloadType: PAYLOAD_TYPE,
    signatures: [{ sig, keyid: '' }],
  };
  const pem = `-----BEGIN CERTIFICATE-----\n${certificate
    .toString('base64')
    .match(/.{1,64}/g)!
    .join('\n')}\n-----END CERTIFICATE-----\n`;
  const entry = {
    kind: 'dsse',
    apiVersion: '0.0.1',
    spec: {
      envelopeHash: { algorithm: 'sha256', value: sha256(JSON.stringify(dsseEnvelope)).toString('hex') },
      payloadHash: { algorithm: 'sha256', value: sha256(payload).toString('hex') },
      signatures: [{ signature: sig, verifier: Buffer.from(pem).toString('base64') }],
    },
  };
  return {
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: {
      certificate: { rawBytes: certificate.toString('base64') },
      tlogEntries: Object.values(await log.log(entry)).map(entryOf),
      timestampVerificationData: { rfc3161Timestamps: [] },
    },
    dsseEnvelope,
  };
}

function extensionsOf({
  repositoryUrl,
  runUrl,
  commit,
  issuer = 'https://token.actions.githubusercontent.com',
}: Identity) {
  return [
    { oid: `${FULCIO}8`, value: issuer },
    { oid: `${FULCIO}12`, value: repositoryUrl },
    { oid: `${FULCIO}13`, value: commit },
    { oid: `${FULCIO}21`, value: `${runUrl}/attempts/1` },
  ];
}

/** An entry of Rekor's API as bundles have it. */
// biome-ignore lint/suspicious/noExplicitAny: the form of the mock's response is Rekor's.
function entryOf({ logIndex, logID, integratedTime, body, verification }: any) {
  const { signedEntryTimestamp, inclusionProof: proof } = verification;
  return {
    logIndex: String(logIndex),
    logId: { keyId: Buffer.from(logID, 'hex').toString('base64') },
    kindVersion: { kind: 'dsse', version: '0.0.1' },
    integratedTime: String(integratedTime),
    inclusionPromise: { signedEntryTimestamp },
    inclusionProof: {
      logIndex: String(proof.logIndex),
      rootHash: Buffer.from(proof.rootHash, 'hex').toString('base64'),
      treeSize: String(proof.treeSize),
      hashes: [],
      checkpoint: { envelope: proof.checkpoint },
    },
    canonicalizedBody: body,
  };
}

function trustedRootOf(ca: CA, ctKey: KeyObject, logKey: KeyObject) {
  const validFor = { start: '2020-01-01T00:00:00Z' };
  const logOf = (key: KeyObject, baseUrl: string) => ({
    baseUrl,
    hashAlgorithm: 'SHA2_256',
    publicKey: { rawBytes: derOf(key).toString('base64'), keyDetails: 'PKIX_ECDSA_P256_SHA_256', validFor },
    logId: { keyId: sha256(derOf(key)).toString('base64') },
  });
  return {
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: [logOf(logKey, 'https://rekor.test')],
    certificateAuthorities: [
      {
        subject: { organization: 'sigstore.mock', commonName: 'sigstore' },
        uri: 'https://fulcio.test',
        certChain: { certificates: [{ rawBytes: bytesOf(ca.rootCertificate).toString('base64') }] },
        validFor,
      },
    ],
    ctlogs: [logOf(ctKey, 'https://ctlog.test')],
    timestampAuthorities: [],
  };
}
