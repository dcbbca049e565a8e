import { z } from 'zod';

/** Response of `GET /` to a program. */
export const index = z
  .object({
    name: z.literal('hapax'),
    version: z.string(),
    docs: z.literal('/docs').meta({ description: 'Documentation of the API for people.' }),
    openapi: z.literal('/openapi.json').meta({ description: 'Description of the API for programs.' }),
    health: z.literal('/health'),
  })
  .meta({ id: 'Index' });
