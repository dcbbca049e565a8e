import { z } from 'zod';
import { LIMITS } from '../budgets.ts';
import { isLoopback } from '../loopback.ts';
import { text } from '../text.ts';
import { RIGHTS } from './key-event.ts';
import { repositoryPattern } from './repository-pattern.ts';

const { restrictions, perMinute, inFlight, rules: mostRules } = LIMITS.keys;

/** GitHub's issuer of tokens for jobs. Anybody at GitHub can get a token from it. */
export const GITHUB_ISSUER = 'https://token.actions.githubusercontent.com';

const WHOLE = /^[^*]+$/;
const OWNER_AND_SLASH = /^[^*/]+\//;

/**
 * Claims of GitHub's tokens that say whose job it is, and the patterns that match only jobs of one owner. Owners can change the form of
 * `sub`, also to one that begins with what everybody can choose.
 */
const NAMES_OWNER: Readonly<Record<string, RegExp>> = {
  sub: /^((repo|repository|job_workflow_ref):[^*/:]+\/|(repository_owner(_id)?|repository_id|enterprise(_id)?):[^*:]+(:|$))/,
  repository: OWNER_AND_SLASH,
  job_workflow_ref: OWNER_AND_SLASH,
  repository_id: WHOLE,
  repository_owner: WHOLE,
  repository_owner_id: WHOLE,
  enterprise: WHOLE,
  enterprise_id: WHOLE,
};

/** Issuer of tokens. http is accepted only for loopback addresses. */
export const issuer = z.string().refine((url) => {
  const parsed = URL.parse(url);
  if (!parsed || parsed.search || parsed.hash || parsed.username) return false;
  return parsed.protocol === 'https:' || (parsed.protocol === 'http:' && isLoopback(parsed.hostname));
}, 'must be an https URL');

const pattern = text(500).regex(/^[^*]/, 'must not be empty or begin with *');

const oidcRule = z
  .strictObject({
    issuer,
    claims: z
      .record(z.string(), z.union([pattern, z.array(pattern).min(1).max(restrictions)]))
      .refine(
        (claims) => Object.keys(claims).length > 0,
        'must name a claim: without one, every token of the issuer matches',
      ),
    rights: z.array(z.enum(RIGHTS)).min(1),
    repositories: z
      .array(z.union([repositoryPattern, z.literal('{repository}')]))
      .min(1)
      .max(restrictions)
      .optional(),
    queues: z.array(text(LIMITS.keys.nameCharacters).min(1)).min(1).max(restrictions).optional(),
    requests_per_minute: z.int().min(1).max(perMinute).optional(),
    builds_in_flight: z.int().min(1).max(inFlight).optional(),
    tasks_in_flight: z.int().min(1).max(inFlight).optional(),
  })
  .refine(({ rights, repositories, queues }) => !rights.includes('admin') || (!repositories && !queues), {
    path: ['rights'],
    error: 'admin cannot be restricted to repositories or queues',
  })
  .refine((rule) => rule.issuer !== GITHUB_ISSUER || namesOwner(rule.claims), {
    path: ['claims'],
    error:
      'must say whose jobs: anybody at GitHub gets tokens of this issuer; name the owner before any *: repository_id 1234, repository acme/* or sub repo:acme/*',
  });

/** Says whether one of the claims can match only jobs of owners that it names in full. */
function namesOwner(claims: Readonly<Record<string, string | string[]>>): boolean {
  return Object.entries(NAMES_OWNER).some(([name, form]) => {
    const patterns = Object.hasOwn(claims, name) ? [claims[name] ?? []].flat() : [];
    return patterns.length > 0 && patterns.every((pattern) => form.test(pattern));
  });
}

/** A rule: the tokens of an issuer that it admits, and their rights. */
export type OidcRule = z.infer<typeof oidcRule>;

/** Returns a schema of a setting with a JSON array of rules. */
export const jsonRules = <Rule extends z.ZodType>(rule: Rule) =>
  z.string().transform((json, context): Array<z.output<Rule>> => {
    let given: unknown;
    try {
      given = JSON.parse(json);
    } catch {
      context.addIssue({ code: 'custom', message: 'must be a JSON array of rules' });
      return z.NEVER;
    }
    const parsed = z.array(rule).min(1).max(mostRules).safeParse(given);
    if (parsed.success) return parsed.data;
    for (const { path, message } of parsed.error.issues) {
      context.addIssue({ code: 'custom', message: `${path.join('.')}: ${message}` });
    }
    return z.NEVER;
  });

/** Settings for tokens of other issuers. */
export const oidcSettings = {
  OIDC_RULES: jsonRules(oidcRule).optional().meta({
    description:
      'Which OpenID Connect tokens give access, and with which rights: a JSON array of rules with `issuer`, `claims` and `rights`, as in [Keys and rights](security.md#tokens-of-github-actions-and-other-issuers). The first rule that matches counts. Needs OIDC_AUDIENCE.',
  }),
  OIDC_AUDIENCE: text(500).min(1).optional().meta({
    description: 'The audience (`aud`) that such tokens must have: a name for this Hapax that nothing else uses.',
  }),
};
