import { z } from 'zod';

/** A repository, `OWNER/NAME`, or all repositories of an owner, `OWNER/*`. Case does not matter, as at forges. */
export const repositoryPattern = z
  .string()
  .max(200)
  .regex(/^[\w.-]+\/([\w.-]+|\*)$/, 'must be OWNER/NAME or OWNER/*');
