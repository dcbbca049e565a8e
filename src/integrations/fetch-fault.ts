/** Returns why a fetch failed: the system's code (`ECONNREFUSED`), otherwise the name of the error (`TimeoutError`). */
export function fetchFault(error: unknown): string {
  const { cause, name } = error as { cause?: { code?: string }; name: string };
  return cause?.code ?? name;
}
