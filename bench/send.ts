/** Sends a request with a body of JSON, if any, and reads the answer. @throws where it is not a 2xx. */
export async function send<Answer>(method: string, url: string, body?: unknown): Promise<Answer> {
  const headers = body === undefined ? {} : { 'content-type': 'application/json' };
  const answer = await fetch(url, { method, headers, body: body === undefined ? null : JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Answer;
}
