import type { Command } from 'commander';
import { deadLetterLines, queryOf, withFilter } from '../../dead-letters.ts';
import { listsPages } from '../../list-pages.ts';

export function define(command: Command): void {
  listsPages(withFilter(command), { path: '/dlq', name: 'dead_letters', query: queryOf, lines: deadLetterLines });
}
