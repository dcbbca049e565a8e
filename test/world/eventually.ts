import { setTimeout as delay } from 'node:timers/promises';

/** What `look` returns once it does not throw; its last error where it always does. The limit is for a machine that does ten other things. */
export async function eventually<T>(look: () => T | Promise<T>, timeoutMs = 150_000): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (let pause = 5; ; pause = Math.min(100, 1.5 * pause)) {
    try {
      return await look();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await delay(pause);
    }
  }
}
