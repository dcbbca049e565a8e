/** What all tokens of a build begin with. */
export function tokenPrefix(buildId: number): string {
  return `hapax-${buildId}-`;
}

/** The token of one dispatch of a build, by which its run is known again. @param uuid drawn for it alone. */
export function dispatchToken(buildId: number, attempt: number, uuid: string): string {
  return `${tokenPrefix(buildId)}${attempt}-${uuid.replaceAll('-', '').slice(0, 12)}`;
}
