import { z } from 'zod';

const number = z.coerce.number().int().max(Number.MAX_SAFE_INTEGER);

/** Query of GET /audit/inclusion. */
export const inclusionQuery = z.strictObject({
  position: number.min(1).meta({ description: 'Position of an event in the log: its `id`.', example: 1312 }),
});

/** Query of GET /audit/consistency. */
export const consistencyQuery = z.strictObject({
  from: number.min(0).meta({ description: 'How many events the earlier checkpoint has.', example: 1200 }),
  to: number
    .min(0)
    .optional()
    .meta({ description: 'How many the later one has. Default: as many as the last one.', example: 1312 }),
});

/** How the tree of the log continues from an earlier one. */
export const consistency = z
  .object({
    from: z.int(),
    to: z.int(),
    proof: z.array(z.string()).meta({
      description: 'Hashes in base64, in the order of RFC 6962, 2.1.2.',
      example: ['XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg='],
    }),
  })
  .meta({ id: 'Consistency' });
