import type { Check } from '../../contracts/check.ts';
import { peopleProviderOf } from '../oidc.ts';
import { fault, ok } from './findings.ts';
import type { Patient } from './patient.ts';

/** Checks the OpenID provider that people sign in with. Whether it knows Hapax shows only when somebody signs in. */
export async function checkSignIn({ settings }: Patient): Promise<Check[]> {
  const name = 'sign-in';
  const provider = await peopleProviderOf(settings);
  if (!provider) return [];
  const started = await provider.begin();
  const { SIGN_IN_ISSUER: issuer, PUBLIC_URL: url } = settings;
  if ('away' in started) {
    const remedy = 'correct SIGN_IN_ISSUER, or start the provider; keys let in meanwhile';
    return [fault(name, `${issuer} does not answer as an OpenID provider: ${started.away}`, remedy)];
  }
  return [ok(name, `${issuer} answers; it must know ${url}/console/sign-in/callback`)];
}
