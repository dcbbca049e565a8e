import type { DispatchOutcome } from '../contracts/github.ts';
import type { Build } from '../domain/build.ts';

/** What activities count. */
export interface ActivityMeter {
  dispatched(outcome: DispatchOutcome['kind']): void;
  /** The end of a build was recorded, now and not before. */
  buildEnded(build: Build): void;
}
