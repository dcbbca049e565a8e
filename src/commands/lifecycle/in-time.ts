/** Returns the result of the work, unless it takes longer. @throws the message if it does; the work itself goes on. */
export function inTime<T>(working: Promise<T>, timeoutMs: number, message: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(message)), timeoutMs);
    working.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
