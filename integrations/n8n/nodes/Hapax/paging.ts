import {
  type DeclarativeRestApiSettings,
  type IDataObject,
  type IExecutePaginationFunctions,
  type INodeExecutionData,
  sleep,
} from 'n8n-workflow';

const MOST_PER_PAGE = 200;
/** Longest that one request waits, seconds. */
const MOST_WAIT = 60;
/** Pause where Hapax answered before the time, for example because it stops. */
const PAUSE_MS = 1_000;

/** Gets pages until there are as many entries as were asked for. */
export async function getPages(
  this: IExecutePaginationFunctions,
  request: DeclarativeRestApiSettings.ResultOptions,
): Promise<INodeExecutionData[]> {
  const most = this.getNodeParameter('returnAll', false)
    ? Number.POSITIVE_INFINITY
    : Number(this.getNodeParameter('limit'));
  const entries: INodeExecutionData[] = [];
  let cursor: unknown;
  do {
    const limit = Math.min(MOST_PER_PAGE, most - entries.length);
    request.options.qs = { ...request.options.qs, limit, ...(cursor ? { cursor } : {}) };
    const [answer] = await this.makeRoutingRequest(request);
    const page = answer?.json ?? {};
    const found = (Object.values(page).find(Array.isArray) ?? []) as IDataObject[];
    entries.push(...found.map((json) => ({ json })));
    cursor = page.next_cursor;
  } while (cursor && entries.length < most);
  return entries;
}

/** Whether a request that failed with this may succeed a moment later: Hapax was away, or too busy. */
export function mayPass(error: unknown): boolean {
  const { httpCode, code, cause } = error as { httpCode?: string | null; code?: string; cause?: { code?: string } };
  return /^(5\d\d|408|429|ECONN\w+|ETIMEDOUT|EPIPE|EAI_AGAIN)$/.test(String(httpCode ?? code ?? cause?.code));
}

/** Asks until the build or task has ended, or until the time is over: then it has no `completed_at`. */
export async function waitForEnd(
  this: IExecutePaginationFunctions,
  request: DeclarativeRestApiSettings.ResultOptions,
): Promise<INodeExecutionData[]> {
  const until = Date.now() + Number(this.getNodeParameter('seconds')) * 1_000;
  for (;;) {
    const leftMs = Math.max(0, until - Date.now());
    request.options.qs = { ...request.options.qs, wait: Math.min(MOST_WAIT, Math.ceil(leftMs / 1_000)) };
    const asked = Date.now();
    const isLast = () => leftMs === 0 || this.getExecutionCancelSignal()?.aborted;
    const answer = await this.makeRoutingRequest(request).catch((error: unknown) => {
      if (isLast() || !mayPass(error)) throw error;
    });
    if (answer && (answer[0]?.json.completed_at || isLast())) return answer;
    if (Date.now() - asked < PAUSE_MS) await sleep(PAUSE_MS);
  }
}
