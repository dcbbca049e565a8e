import { z } from 'zod';
import { baseUrlFault, list } from './setting-forms.ts';

/** A witness of the log: its URL, and the key that verifies its signatures. */
export interface WitnessAddress {
  url: string;
  verifierKey: string;
}

const witnesses = list.transform((pairs, context) =>
  pairs.flatMap((pair): WitnessAddress[] => {
    const [, url = '', verifierKey = ''] = /^(\S+?)=([^\s+=]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44})$/u.exec(pair) ?? [];
    const fault = url === '' ? 'must be URL=KEY pairs, with the key as name+id+base64' : baseUrlFault(url, 'refused');
    if (fault === undefined) return [{ url: url.replace(/\/+$/, ''), verifierKey }];
    context.addIssue({ code: 'custom', message: fault });
    return [];
  }),
);

/** How Hapax signs checkpoints of the log, and where it writes them. */
export const checkpointSettings = {
  CHECKPOINT_KEY: z
    .string()
    .regex(
      /^PRIVATE\+KEY\+[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}$/u,
      'must be a key that `hapax audit key NAME` makes',
    )
    .optional()
    .meta({
      description:
        'Secret key that signs a checkpoint of the log once a minute; the name in it is the name of the log. Not set: in laptop mode the key in HAPAX_HOME/checkpoint.key, which is made once; in cloud mode there are no checkpoints.',
      secret: true,
    }),
  CHECKPOINT_DIR: z.string().min(1).optional().meta({
    description:
      'Directory to which checkpoints and the tree of the log are written (C2SP tlog-tiles), for a web server or a git repository to publish. In cloud mode, this and the next two need CHECKPOINT_KEY.',
  }),
  CHECKPOINT_BUCKET: z.string().min(1).optional().meta({
    description:
      'Bucket at S3_ENDPOINT for the same files. Use one with versions and object lock, so that nobody can replace what is there.',
  }),
  CHECKPOINT_WITNESSES: witnesses.default([]).meta({
    description:
      'Witnesses that sign each checkpoint too (C2SP tlog-witness), as URL=KEY pairs, comma separated. If one does not respond, the next checkpoint asks it again.',
  }),
};

type CheckpointSettings = z.output<z.ZodObject<typeof checkpointSettings>>;

/** Says whether a setting tells where checkpoints go. */
export function publishesCheckpoints(settings: CheckpointSettings): boolean {
  const { CHECKPOINT_DIR: directory, CHECKPOINT_BUCKET: bucket, CHECKPOINT_WITNESSES: some } = settings;
  return directory !== undefined || bucket !== undefined || some.length > 0;
}
