/** npm passes on a signal that the terminal has already sent to us, so one Ctrl-C arrives twice. */
const SAME_MS = 500;

/** Resolves with the name of the first SIGINT, SIGTERM or SIGHUP. A later one ends the process at once. */
export function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let askedAt: number | undefined;
    const stop = (signal: NodeJS.Signals) => {
      if (askedAt !== undefined && Date.now() - askedAt > SAME_MS) process.exit(130);
      askedAt ??= Date.now();
      resolve(signal);
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  });
}
