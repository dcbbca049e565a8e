import type { BuildView } from '../../contracts/builds/build.ts';
import { paint } from './screen.ts';

/** Returns the artifacts of a build's run and who attests them, for people. Servers from before artifacts were recorded send none. */
export function artifactLines({ artifacts: left }: Partial<BuildView>): string[] {
  if (!left) return [];
  const lines = left.artifacts.flatMap(({ name, digest, attestations }) => [
    `${paint(name, 'strong')}  ${digest ?? 'no digest'}`,
    ...attestations.map(({ predicate_type, verified, fault, signer }) => {
      const what = predicate_type ?? 'attestation';
      return verified
        ? `  ${paint('verified', 'good')}  ${what}, signed by ${signer}`
        : `  ${paint('not verified', 'warn')}  ${what}: ${fault}`;
    }),
  ]);
  const more = left.left_out > 0 ? [`and ${left.left_out} more`] : [];
  const why = left.unavailable === null ? [] : [`${paint('the forge did not tell all', 'warn')}: ${left.unavailable}`];
  return ['', 'artifacts', ...lines, ...more, ...why];
}
