/** The forges whose APIs the simulator has. */
export const DIALECTS = ['github', 'gitea', 'forgejo'] as const;
export type DialectKind = (typeof DIALECTS)[number];

/** Returns the path of the API below the server's root. */
export function basePathOf(dialect: DialectKind): string {
  return dialect === 'github' ? '' : '/api/v1';
}
