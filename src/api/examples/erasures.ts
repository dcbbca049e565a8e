import type { OperationExamples } from './apply.ts';

export const ERASURE_EXAMPLES: Record<string, OperationExamples> = {
  eraseData: {
    request: { text: 'jane@example.com', dry_run: true },
    responses: {
      200: { count: 2, more: false, sample: ['task:750f939b-c84e-4618-8580-0487dbf33509', 'content:yt:dQw4w9WgXcQ'] },
      202: {
        done: ['task:750f939b-c84e-4618-8580-0487dbf33509'],
        refused: [{ id: 'build:12', detail: 'build 12 has not ended; cancel it first' }],
        more: false,
      },
    },
  },
};
