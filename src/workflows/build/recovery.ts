import type { BuildInput } from '../../contracts/builds/build-workflow.ts';
import { buildRecoveredEvent } from '../../domain/record/first-events.ts';
import type { BuildJournal } from './teller.ts';

/** Says in the record that this workflow takes the place of one that Temporal lost. */
export async function tellRecovery({ recovery }: BuildInput, journal: BuildJournal): Promise<void> {
  if (!recovery) return;
  const { data, dedupe_key, occurred_at } = buildRecoveredEvent(recovery);
  await journal.teller()('build_recovered', dedupe_key, data, occurred_at);
}
