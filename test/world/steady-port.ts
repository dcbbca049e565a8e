import { assertPortFree } from '../../src/laptop/ports.ts';

/**
 * A free port of 127.0.0.1 below those that the system gives to whoever asks for any: nobody takes it while the process
 * that it is for is down, as happened once to an API that was killed while a Temporal server looked for ports.
 */
export async function steadyPort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    const isFree = await assertPortFree('127.0.0.1', port, 'PORT').then(
      () => true,
      () => false,
    );
    if (isFree) return port;
  }
}
