/** Returns the prefix of all tokens of a build. */
export function tokenPrefix(buildId: number): string {
  return `hapax-${buildId}-`;
}

/** Returns the token that identifies the run of one dispatch. @param uuid drawn for this dispatch alone. */
export function dispatchToken(buildId: number, attempt: number, uuid: string): string {
  return `${tokenPrefix(buildId)}${attempt}-${uuid.replaceAll('-', '').slice(0, 12)}`;
}
