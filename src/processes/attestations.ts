import { readFileSync } from 'node:fs';
import type { Settings } from '../contracts/settings.ts';
import { type AttestationVerifier, attestationVerifier } from '../integrations/attestations.ts';
import { UserError } from '../laptop/user-error.ts';

/** Returns the verifier of attestations; undefined if the settings name no trusted roots. @throws {UserError} if the file has none. */
export async function attestationVerifierOf({
  GITHUB_ATTESTATION_ROOTS: file,
}: Settings): Promise<AttestationVerifier | undefined> {
  if (file === undefined) return undefined;
  try {
    return await attestationVerifier(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new UserError(
      `GITHUB_ATTESTATION_ROOTS: ${file} has no trusted roots (${(error as Error).message}); make it with: gh attestation trusted-root > FILE`,
    );
  }
}
