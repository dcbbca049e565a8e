import type { Right } from '../contracts/keys/key-event.ts';
import type { IconName } from './parts/icon.ts';

export interface Place {
  /** Relative to the base of the console; empty for the overview. */
  path: string;
  label: string;
  icon: IconName;
  /** The place is hidden from people without this right. */
  right?: Right;
}

/** The pages in the navigation, in groups. */
export const NAVIGATION: ReadonlyArray<{ title: string | undefined; places: readonly Place[] }> = [
  { title: undefined, places: [{ path: '', label: 'Overview', icon: 'overview' }] },
  {
    title: 'Builds',
    places: [
      { path: 'builds', label: 'Builds', icon: 'build' },
      { path: 'trigger', label: 'Trigger', icon: 'trigger' },
      { path: 'schedules', label: 'Schedules', icon: 'waiting' },
      { path: 'configurations', label: 'Configurations', icon: 'configuration' },
    ],
  },
  {
    title: 'Tasks',
    places: [
      { path: 'tasks', label: 'Tasks', icon: 'task' },
      { path: 'dead-letters', label: 'Dead letters', icon: 'dead' },
      { path: 'queues', label: 'Queues', icon: 'queue' },
      { path: 'task-types', label: 'Task types', icon: 'configuration' },
    ],
  },
  {
    title: 'Content',
    places: [
      { path: 'content', label: 'Content', icon: 'content' },
      { path: 'search', label: 'Search', icon: 'search' },
      { path: 'quota', label: 'Quota', icon: 'quota' },
    ],
  },
  {
    title: 'Hapax',
    places: [
      { path: 'subscriptions', label: 'Subscriptions', icon: 'external' },
      { path: 'record', label: 'Record', icon: 'success' },
      { path: 'keys', label: 'API keys', icon: 'key', right: 'admin' },
    ],
  },
];
