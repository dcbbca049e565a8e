import fc from 'fast-check';

/**
 * Properties are tried on the same values every time, so that a change alone can make a test fail. `FUZZ_SEED=N npm run
 * test:unit` tries others; what that finds becomes an ordinary test.
 */
fc.configureGlobal({ seed: Number(process.env.FUZZ_SEED ?? 1) });
