import { html } from 'hono/html';
import { findLastCheckpoint, type SignedCheckpoint } from '../../store/record/checkpoint-save.ts';
import { findLogEnd } from '../../store/record/log-end.ts';
import type { ConsoleDependencies } from '../app.ts';
import { page } from '../layout.ts';
import { copyable } from '../parts/copyable.ts';
import { facts } from '../parts/facts.ts';
import { notice } from '../parts/notice.ts';
import { between, count, time } from '../parts/time.ts';
import type { Console, Html, View } from '../view.ts';

/** When a checkpoint is late. There is one a minute; after several failures, somebody should look. */
const LATE_MS = 5 * 60_000;

/** Adds the page of the record: how long the log is, and the last checkpoint that proves it. */
export function record(console: Console, { db }: ConsoleDependencies): void {
  console.get('/record', async (c) => {
    const { view } = c.var;
    const end = await findLogEnd(db);
    const checkpoint = await findLastCheckpoint(db);
    const content = checkpoint ? checkpointCard(view, checkpoint, end) : NONE;
    return page(c, { title: 'Record', place: 'record', content, live: { topics: ['tick'], since: end } });
  });
}

const NONE = notice(
  'quiet',
  'There is no checkpoint yet.',
  'A worker makes one a minute. In cloud mode, it needs CHECKPOINT_KEY.',
);

function checkpointCard(
  view: View,
  { size, end, made_at, note, verifier_key }: SignedCheckpoint,
  logEnd: number,
): Html {
  const isLate = logEnd > end && view.now - Date.parse(made_at) > LATE_MS;
  const said = isLate
    ? notice('bad', 'Checkpoints are late.', 'Events of the last minutes are in none. Look at the log of the workers.')
    : notice(
        'good',
        `The first ${count(size)} events are signed for.`,
        'Nobody can change them without being seen by whoever kept a checkpoint.',
      );
  const about = facts([
    ['Made', html`${time(view, made_at)}, ${between(view, made_at, undefined)} ago`],
    ['Events', count(size)],
    ['Up to', `position ${count(end)}; the log ends at ${count(logEnd)}`],
  ]);
  return html`${said}<div class="split"><section class="card" aria-labelledby="checkpoint-title"><h2 id="checkpoint-title">Last checkpoint</h2>
${about}
${copyable('note', note)}<p class="hint">Keep one where nobody who can change the database can change it.</p></section>
<section class="card" aria-labelledby="check-title"><h2 id="check-title">Check it yourself</h2><p>Save the checkpoint as <code>checkpoint.txt</code>. This reads the log and says whether it still begins with the same events:</p>
${copyable('check', `hapax audit verify --checkpoint checkpoint.txt --key '${verifier_key}'`)}<p class="hint">Keep the key beside the first checkpoint that you keep.</p></section></div>`;
}
