/** Why a fetch failed, in the system's word for it (`ECONNREFUSED`), else by the name of the error (`TimeoutError`). */
export function fetchFault(error: unknown): string {
  const { cause, name } = error as { cause?: { code?: string }; name: string };
  return cause?.code ?? name;
}
