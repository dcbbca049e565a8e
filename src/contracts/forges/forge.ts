import { z } from 'zod';

/** The forges that can run workflows for Hapax. `domain/forges/capabilities.ts` says what each can do. */
export const FORGE_KINDS = ['github', 'gitea', 'forgejo'] as const;

export const forgeKind = z.enum(FORGE_KINDS).meta({ id: 'Forge' });
export type ForgeKind = z.infer<typeof forgeKind>;

/** The forge and the credential of a build. Left out of a request: the GitHub of the GITHUB_ settings. */
export const forgePlace = z
  .object({
    kind: forgeKind,
    api_url: z.string().meta({ description: 'Root of the REST API.' }),
    credential: z.string().meta({ description: 'Its name in FORGE_CREDENTIALS.' }),
  })
  .meta({ id: 'ForgePlace' });
export type ForgePlace = z.infer<typeof forgePlace>;

/** The URL of each named credential. Its token is sent nowhere else. */
export type CredentialUrls = ReadonlyMap<string, string>;
