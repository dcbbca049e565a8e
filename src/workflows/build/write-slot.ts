import { record } from '../activities.ts';
import type { OpenBuild } from './open-build.ts';

/** A slot that is used later than this is lost: no worker was there, and everybody who waited would come at once. */
const LATE_MS = 5_000;

/** Waits on a durable timer until it is this build's turn to write to its forge, or until the build is to stop. */
export async function awaitWriteSlot({ input, operator }: OpenBuild): Promise<void> {
  for (;;) {
    const { wait_ms } = await record.reserveWrite({ forge: input.request.forge });
    if (wait_ms === 0) return;
    const due = Date.now() + wait_ms;
    await operator.pause(wait_ms);
    if (operator.cancelledBy !== undefined || Date.now() - due < LATE_MS) return;
  }
}
