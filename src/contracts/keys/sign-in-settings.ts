import { z } from 'zod';
import { LIMITS } from '../budgets.ts';
import { text } from '../text.ts';
import { RIGHTS } from './key-event.ts';
import { issuer, jsonRules } from './oidc-settings.ts';

const { restrictions } = LIMITS.keys;

/** `*` stands for any characters. Alone it would match everything. */
const pattern = text(500).regex(/[^*]/, 'must not be empty, and not only *');

/** Claims that are the same for everybody who can sign in, or that do not say who a person is. */
const OF_EVERYBODY = new Set(['iss', 'aud', 'azp', 'email_verified', 'locale', 'acr', 'amr']);

const signInRule = z.strictObject({
  claims: z
    .record(z.string(), z.union([pattern, z.array(pattern).min(1).max(restrictions)]))
    .refine(
      (claims) => Object.keys(claims).some((name) => !OF_EVERYBODY.has(name)),
      'must name a claim about the person, such as sub, email or groups: without one, everybody gets in whom the issuer knows',
    ),
  rights: z
    .array(z.enum(RIGHTS))
    .min(1)
    .refine((rights) => rights.includes('read') || rights.includes('admin'), 'must have read: the console needs it'),
});

/** A rule: the people whom an issuer admits to the console, and their rights. */
export type SignInRule = z.infer<typeof signInRule>;

const origin = z
  .string()
  .refine(
    (url) => issuer.safeParse(url).success && new URL(url).origin === url,
    'must be https://NAME, without a path',
  );

/** Settings for people who sign in to the console. */
export const signInSettings = {
  SIGN_IN_ISSUER: issuer.optional().meta({
    description:
      'OpenID provider that people sign in to the console with: its issuer, an https URL ([Keys and rights](security.md#people-who-sign-in)). Needs SIGN_IN_CLIENT_ID, SIGN_IN_RULES and PUBLIC_URL.',
  }),
  SIGN_IN_CLIENT_ID: text(500).min(1).optional().meta({ description: 'Id of Hapax at that provider.' }),
  SIGN_IN_CLIENT_SECRET: text(2_000)
    .min(1)
    .optional()
    .meta({ description: 'Secret of Hapax at that provider. Left out for a public client.', secret: true }),
  SIGN_IN_SCOPES: text(500)
    .regex(/^[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*$/, 'must be words with spaces between')
    .refine((scopes) => scopes.split(' ').includes('openid'), 'must include openid')
    .default('openid profile email')
    .meta({ description: 'What Hapax asks that provider for. Some give groups only with the scope `groups`.' }),
  SIGN_IN_RULES: jsonRules(signInRule).optional().meta({
    description:
      'Who gets into the console, and with which rights: a JSON array of rules with `claims` and `rights`. The first rule that matches counts.',
  }),
  PUBLIC_URL: origin.optional().meta({
    description:
      'Where browsers reach this Hapax, such as https://hapax.example.com. The provider must know PUBLIC_URL/console/sign-in/callback as a redirect URI.',
  }),
};

const TOGETHER = ['SIGN_IN_ISSUER', 'SIGN_IN_CLIENT_ID', 'SIGN_IN_RULES', 'PUBLIC_URL'] as const;

/** Returns one line for each setting that is missing although signing in is configured. */
export function signInFaults(settings: Readonly<Record<string, unknown>>): string[] {
  const asked = Object.keys(signInSettings).some(
    (name) => !['PUBLIC_URL', 'SIGN_IN_SCOPES'].includes(name) && settings[name] !== undefined,
  );
  if (!asked) return [];
  return TOGETHER.filter((name) => settings[name] === undefined).map(
    (name) => `${name}: is missing; signing in needs ${TOGETHER.join(', ')}`,
  );
}
