import { z } from 'zod';

/** The forges that Hapax can have workflows run on. What each of them can do is in `domain/forges/capabilities.ts`. */
export const FORGE_KINDS = ['github', 'gitea', 'forgejo'] as const;

export const forgeKind = z.enum(FORGE_KINDS).meta({ id: 'Forge' });
export type ForgeKind = z.infer<typeof forgeKind>;

/** Which forge a build runs on, and with which credential; left out of a request: the GitHub of the GITHUB_ settings. */
export const forgePlace = z
  .object({
    kind: forgeKind,
    api_url: z.string().meta({ description: 'Root of the REST API.' }),
    credential: z.string().meta({ description: 'Its name in FORGE_CREDENTIALS.' }),
  })
  .meta({ id: 'ForgePlace' });
export type ForgePlace = z.infer<typeof forgePlace>;

/** Where named credentials lead: the URL of each by its name. A token is sent nowhere else. */
export type CredentialUrls = ReadonlyMap<string, string>;
