/** The end of a page; the next page begins after it. */
export interface Cursor<Id extends number | string = string> {
  created_at: string;
  id: Id;
}

/** A page of a list, with its end if more items follow. */
export interface Page<Item, Id extends number | string = string> {
  items: Item[];
  end: Cursor<Id> | undefined;
}

/** Makes a page of up to `limit` items. Give it one item more, if there is one: it shows that another page follows. */
export function pageOf<Item extends Cursor<number | string>>(found: Item[], limit: number): Page<Item, Item['id']> {
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return { items, end: found.length > limit && last ? { created_at: last.created_at, id: last.id } : undefined };
}
