import { z } from 'zod';
import { LIMITS } from '../budgets.ts';
import { SAMPLE } from '../many.ts';
import { text } from '../text.ts';

/** The shortest text to erase by. Shorter ones occur nearly everywhere. */
const LEAST_CHARACTERS = 3;

/** A thing whose data can be erased. */
export const erasable = text(300)
  .regex(
    /^(?:build:[1-9]\d{0,15}|(?:task|content|message):[\s\S]+)$/,
    'must be build:, task:, content: or message: and an id',
  )
  .meta({ description: '`build:`, `task:`, `content:` or `message:`, and the id.', example: 'task:49c16189' });

/** Body of POST /erasures: which data to erase, in one of three ways. */
export const erasureBody = z
  .strictObject({
    ids: z
      .array(erasable)
      .min(1)
      .max(LIMITS.lists.operatedAtOnce)
      .optional()
      .meta({ description: 'The data of these.' }),
    text: text(LIMITS.lists.erasedTextCharacters).min(LEAST_CHARACTERS).optional().meta({
      description:
        'The data of all that has this text in arguments, results, errors, inputs, callback URLs, content or refused messages; case does not matter, except in messages.',
      example: 'jane@example.com',
    }),
    caller: text(300).min(1).optional().meta({
      description: 'The data of all builds and tasks that this caller asked for, as `caller` in their events has it.',
    }),
    limit: z
      .int()
      .min(1)
      .max(LIMITS.lists.operatedAtOnce)
      .default(100)
      .meta({ description: 'How many in this request, the newest first. It does not limit `ids`.' }),
    dry_run: z.boolean().default(false).meta({ description: 'Erase nothing: say what would be erased.' }),
  })
  .refine(({ ids, text: words, caller }) => [ids, words, caller].filter((one) => one !== undefined).length === 1, {
    error: 'name one of these: ids, text, caller',
    path: ['ids'],
  })
  .meta({ id: 'EraseData' });
export type ErasureBody = z.output<typeof erasureBody>;

/** Response to a dry run. */
export const erasureDryRun = z
  .object({
    count: z.int().meta({ description: 'How many one request would erase, at most `limit`.' }),
    more: z.boolean().meta({ description: 'Whether more match.' }),
    sample: z.array(z.string()).meta({ description: `The first of them, at most ${SAMPLE}.` }),
  })
  .meta({ id: 'ErasureDryRun' });

/** The outcome for each of them. */
export const erasureAnswer = z
  .object({
    done: z.array(z.string()).meta({ description: 'Those whose data was erased.' }),
    refused: z.array(z.object({ id: z.string(), detail: z.string() })),
    more: z.boolean().meta({ description: 'Whether another request would erase more: send the same request again.' }),
  })
  .meta({ id: 'ErasureAnswer' });
