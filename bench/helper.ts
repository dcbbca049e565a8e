/** The far side of `Processes.helper`: answers what the parent asks, and ends when the parent is gone. */
export function serve<Question>(answer: (question: Question) => Promise<unknown>): void {
  process.on('message', async ({ id, question }: { id: number; question: Question }) => {
    try {
      process.send?.({ id, answer: await answer(question) });
    } catch (error) {
      process.send?.({ id, error: error instanceof Error ? error.stack : String(error) });
    }
  });
  process.on('disconnect', () => process.exit());
  // Ctrl-C reaches every process of the terminal; the parent says when to end.
  process.on('SIGINT', () => {});
}
