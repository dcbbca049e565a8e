import { z } from 'zod';

/** The statement of an attestation of an artifact, and whether Hapax could verify it. */
export const attestation = z
  .object({
    predicate_type: z
      .string()
      .nullable()
      .meta({ description: 'What it states, such as https://slsa.dev/provenance/v1. Null if it could not be read.' }),
    verified: z.boolean().meta({
      description:
        'Signed by the run of this build, for this digest, with a certificate of a trusted root, and in its transparency log.',
    }),
    fault: z.string().nullable().meta({ description: 'Why it is not verified. Null if it is.' }),
    signer: z
      .string()
      .nullable()
      .meta({ description: 'Identity in the certificate of a verified one: the workflow file and its ref.' }),
    bundle_sha256: z
      .string()
      .meta({ description: 'SHA-256 of its Sigstore bundle as canonical JSON (RFC 8785), in hexadecimal.' }),
  })
  .meta({ id: 'Attestation' });
export type Attestation = z.infer<typeof attestation>;

/** An artifact that a run uploaded. */
export const artifact = z
  .object({
    id: z.int(),
    name: z.string(),
    size_bytes: z.int(),
    digest: z.string().nullable().meta({
      description:
        'Digest of its archive as the forge tells it, such as sha256:ab12. Null if the forge does not tell it.',
      example: 'sha256:9f64a747e1b97f131fabb6b447296c9b6f0201e79fb3c5356e6c77e89b6a806a',
    }),
    created_at: z.string().nullable(),
    expires_at: z.string().nullable().meta({ description: 'When the forge deletes it. The record keeps its digest.' }),
    expired: z.boolean().meta({ description: 'The forge had deleted it already when it was recorded.' }),
    attestations: z.array(attestation),
  })
  .meta({ id: 'Artifact' });
export type Artifact = z.infer<typeof artifact>;

/** The artifacts of a run, as recorded after its end. */
export const runArtifacts = z
  .object({
    workflow_run_id: z.int(),
    run_attempt: z.int(),
    artifacts: z.array(artifact),
    left_out: z
      .int()
      .meta({ description: 'How many more artifacts the run has than are listed here (docs/limits.md).' }),
    unavailable: z
      .string()
      .nullable()
      .meta({ description: 'Why the forge did not list them, or their attestations. Null if it did.' }),
  })
  .meta({ id: 'RunArtifacts' });
export type RunArtifacts = z.infer<typeof runArtifacts>;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const resource = z.object({
  name: z.string().optional(),
  uri: z.string().optional(),
  digest: z.record(z.string(), z.string()),
});

/** An in-toto Statement v1 with SLSA provenance v1. */
export const provenanceStatement = z
  .object({
    _type: z.literal('https://in-toto.io/Statement/v1'),
    subject: z.array(z.object({ name: z.string(), digest: z.object({ sha256 }) })),
    predicateType: z.literal('https://slsa.dev/provenance/v1'),
    predicate: z.object({
      buildDefinition: z.object({
        buildType: z.string(),
        externalParameters: z.object({
          workflow: z.object({ repository: z.string(), path: z.string(), ref: z.string() }),
          inputs: z.record(z.string(), z.string()),
        }),
        internalParameters: z.object({ event_name: z.literal('workflow_dispatch'), build_id: z.int() }),
        resolvedDependencies: z.array(resource),
      }),
      runDetails: z.object({
        builder: z.object({ id: z.string() }),
        metadata: z.object({ invocationId: z.string(), startedOn: z.string(), finishedOn: z.string() }),
        byproducts: z.array(resource),
      }),
    }),
  })
  .meta({ id: 'ProvenanceStatement' });
export type ProvenanceStatement = z.infer<typeof provenanceStatement>;
