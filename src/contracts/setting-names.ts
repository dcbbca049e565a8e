/** The shortest setting name that a misspelling is compared with. Shorter names, such as HOST, are too close to many others. */
const LEAST_LETTERS = 6;

/** Variables that the commands for people read. They are not settings of a server, but are in the same environment. */
export const CLIENT_VARIABLES: readonly string[] = ['HAPAX_URL', 'HAPAX_API_KEY', 'HAPAX_PROFILE'];

/** Prefixes that no other program on a machine reads: Hapax's own, and Flower's, whose settings Hapax takes over. */
const OWN = /^(HAPAX|FLOWER)_/;

/** Variables that Kubernetes sets for services with these names. */
const SERVICE_LINK = /_SERVICE_(HOST|PORT)|_PORT_\d+_(TCP|UDP)/;

/**
 * Returns a line for each variable that looks like a setting but is not one, so that nobody waits for `FLOWERPORT` to have an effect. The
 * lines are warnings: other programs share the environment, and one of their variables must not keep Hapax from starting.
 */
export function misspeltSettings(
  environment: Readonly<Record<string, string | undefined>>,
  known: readonly string[],
): string[] {
  const isKnown = new Set(known);
  return Object.keys(environment).flatMap((name) => {
    if (isKnown.has(name) || !environment[name] || SERVICE_LINK.test(name)) return [];
    // If the right one is set too, this one means something else.
    const meant = known.find((one) => isNear(name, one) && environment[one] === undefined);
    if (meant) return [`${name} is not a setting and has no effect; did you mean ${meant}?`];
    return OWN.test(name) ? [`${name} is not a setting of Hapax and has no effect; see docs/configuration.md`] : [];
  });
}

/** Says whether two names differ only in case, separators, a prefix of Hapax and at most one typing error. */
function isNear(given: string, known: string): boolean {
  const [one, other] = [lettersOf(given.replace(/^HAPAX_/i, '')), lettersOf(known)];
  if (/^HAPAX_/i.test(given) && one === other) return true;
  return other.length >= LEAST_LETTERS && isOneSlip(one, other);
}

function lettersOf(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9]/g, '').toUpperCase();
}

/** Says whether one extra, missing, wrong or swapped letter turns one name into the other. */
function isOneSlip(one: string, other: string): boolean {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at++;
  const [rest, otherRest] = [one.slice(at), other.slice(at)];
  return (
    rest === otherRest ||
    rest.slice(1) === otherRest ||
    rest === otherRest.slice(1) ||
    rest.slice(1) === otherRest.slice(1) ||
    (rest[0] === otherRest[1] && rest[1] === otherRest[0] && rest.slice(2) === otherRest.slice(2))
  );
}
