/**
 * Seeds that led to a fault, and what it was. A seed leads the same way as long as the code draws and asks the same, so
 * where a test of its own is named, that one protects.
 */
export const FOUND: ReadonlyMap<number, string> = new Map([
  [782, 'a build that was reset after it had asked for help waited for an answer and showed nobody that it did'],
  [1_207, 'a build cancelled right after a reset let the run go on that it had made before (reset.test.ts)'],
  [3_037, 'the last task of a build cancelled while it waited for its turn failed when it was done again'],
  [486, 'a build that Temporal had set back to its question waited for ever, though the record had its end'],
  [710, 'a build restored from a copy asked again after each retry whether a lost dispatch had been sent'],
  [1_543, 'what could not be repaired at once was left for an hour'],
  [21_069, 'a build waited for the answer to a question that the record had lost'],
  [5_003, 'a build cancelled by Temporal while it recorded again what was lost left the rest out'],
  [9_223, 'a lost retry that ended as the build had ended before was not missed (reconcile.test.ts)'],
  [101_192, 'a build failed where the record was set back again while it recorded what was lost'],
  [
    898_815,
    'what could not be repaired, and had ended more than an hour ago, was not looked for again (reconcile.test.ts)',
  ],
  [51_139, 'the id of a direct build that ended for an equal one was given out again'],
  [900_737, 'both stores were lost after a retry that the restored record did not know, and nobody followed its run'],
  [901_047, 'a direct build whose record was set back said only that its request was cut off, which it was not'],
  [
    910_129,
    'a build whose record was set back, and that was then reset, decided otherwise than in the run before, and hung',
  ],
  [911_292, 'a build cancelled in doubt let its run go on where GitHub refused its list for more than a minute'],
  [936_689, 'the end of a retry was recorded before what came before it, while all of it was recorded again'],
  [
    920_807,
    'a build whose end the record had lost stayed open while its workflow waited (reconcile-open-workflows.test.ts)',
  ],
  [501_248, 'a worker that died while it recorded what was lost left nothing that says so'],
]);
