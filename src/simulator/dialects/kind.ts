/** Whose API the simulator speaks. */
export const DIALECTS = ['github', 'gitea', 'forgejo'] as const;
export type DialectKind = (typeof DIALECTS)[number];

/** Path of the API below the server's root. */
export function basePathOf(dialect: DialectKind): string {
  return dialect === 'github' ? '' : '/api/v1';
}
