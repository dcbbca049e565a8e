import type { Api, Query } from './api.ts';

/** The longest page of the API. */
const PAGE = 200;

export interface Listing {
  query: Query;
  /** The most items to read. */
  limit: number;
  cursor?: string | undefined;
}

/**
 * Reads the items of a list, over as many pages as necessary.
 * @param name the member of a page that contains them.
 */
export async function readPages<Item>(api: Api, path: string, name: string, { query, limit, cursor }: Listing) {
  const items: Item[] = [];
  let next = cursor ?? null;
  do {
    const page = await api.json<Record<string, unknown>>(path, {
      query: { ...query, limit: Math.min(PAGE, limit - items.length), cursor: next ?? undefined },
    });
    items.push(...(page[name] as Item[]));
    next = page.next_cursor as string | null;
  } while (next !== null && items.length < limit);
  return { items, next_cursor: next };
}
