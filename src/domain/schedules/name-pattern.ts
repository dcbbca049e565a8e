/**
 * Says whether a name matches a pattern of `*` (any characters) and `?` (one). Takes time in proportion to the product of both
 * lengths at most.
 */
export function matchesPattern(pattern: string, name: string): boolean {
  const wanted = [...pattern];
  const given = [...name];
  let at = 0;
  let from = 0;
  let star = -1;
  for (let index = 0; index < given.length; ) {
    if (wanted[at] === '*') {
      star = at++;
      from = index;
    } else if (wanted[at] === '?' || wanted[at] === given[index]) {
      at++;
      index++;
    } else if (star >= 0) {
      at = star + 1;
      index = ++from;
    } else {
      return false;
    }
  }
  return wanted.slice(at).every((one) => one === '*');
}
