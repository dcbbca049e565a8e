/** Shorter names are near too many others: HOST is one letter from HOME's neighbours. */
const LEAST_LETTERS = 6;

/** What the commands for people read: they are no settings of a server, and stand in the same environment. */
export const CLIENT_VARIABLES: readonly string[] = ['HAPAX_URL', 'HAPAX_API_KEY', 'HAPAX_PROFILE'];

/** Families of names that no other program on a machine reads: Hapax's own, and Flower's, whose settings it takes over. */
const OWN = /^(HAPAX|FLOWER)_/;

/** What Kubernetes sets for services of these names. */
const SERVICE_LINK = /_SERVICE_(HOST|PORT)|_PORT_\d+_(TCP|UDP)/;

/**
 * A line for each variable that looks like a setting and is none, so that nobody waits for the effect of `FLOWERPORT`. These lines
 * are warnings: the environment belongs to other programs as well, and one of theirs must not keep Hapax from starting.
 */
export function misspeltSettings(
  environment: Readonly<Record<string, string | undefined>>,
  known: readonly string[],
): string[] {
  const isKnown = new Set(known);
  return Object.keys(environment).flatMap((name) => {
    if (isKnown.has(name) || !environment[name] || SERVICE_LINK.test(name)) return [];
    // Who sets the right one too means something else.
    const meant = known.find((one) => isNear(name, one) && environment[one] === undefined);
    if (meant) return [`${name} is not a setting and has no effect; did you mean ${meant}?`];
    return OWN.test(name) ? [`${name} is not a setting of Hapax and has no effect; see docs/configuration.md`] : [];
  });
}

/** Whether two names differ in upper and lower case, separators, a prefix of ours and at most one slip of the keyboard. */
function isNear(given: string, known: string): boolean {
  const [one, other] = [lettersOf(given.replace(/^HAPAX_/i, '')), lettersOf(known)];
  if (/^HAPAX_/i.test(given) && one === other) return true;
  return other.length >= LEAST_LETTERS && isOneSlip(one, other);
}

function lettersOf(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9]/g, '').toUpperCase();
}

/** Whether a letter too many, too few, wrong or in its neighbour's place makes one of the other. */
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
