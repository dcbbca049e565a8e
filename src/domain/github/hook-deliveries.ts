/** One delivery of a webhook, as GitHub lists it; a redelivery has the GUID of the first. */
export interface HookDelivery {
  id: number;
  guid: string;
  event: string;
  status_code: number;
  delivered_at: string;
  redelivery: boolean;
}

/** After this many attempts the receiver is at fault, not the network. */
const MOST_ATTEMPTS = 3;

/**
 * Returns the deliveries to request again: the last attempt of each delivery about a run that never arrived, unless it was tried
 * often enough. If the first attempt is not listed, nobody knows how often that was.
 * @param since ISO 8601; earlier deliveries were checked before.
 */
export function missedDeliveries(listed: readonly HookDelivery[], since: string): HookDelivery[] {
  const attempts = new Map<string, HookDelivery[]>();
  for (const delivery of listed) {
    if (delivery.event !== 'workflow_run') continue;
    attempts.set(delivery.guid, [...(attempts.get(delivery.guid) ?? []), delivery]);
  }
  return [...attempts.values()].flatMap((tries) => {
    const arrived = tries.some(({ status_code }) => status_code >= 200 && status_code < 300);
    const [last] = tries.toSorted((a, b) => b.id - a.id);
    const old = last === undefined || Date.parse(last.delivered_at) < Date.parse(since);
    const isCounted = tries.some(({ redelivery }) => !redelivery);
    return arrived || old || !isCounted || tries.length >= MOST_ATTEMPTS ? [] : [last];
  });
}
