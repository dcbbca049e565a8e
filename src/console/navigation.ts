import type { IconName } from './parts/icon.ts';

export interface Place {
  /** Relative to the base of the console; empty for the overview. */
  path: string;
  label: string;
  icon: IconName;
}

/** The pages that the navigation leads to, in groups. */
export const NAVIGATION: ReadonlyArray<{ title: string | undefined; places: readonly Place[] }> = [
  { title: undefined, places: [{ path: '', label: 'Overview', icon: 'overview' }] },
  {
    title: 'Builds',
    places: [
      { path: 'builds', label: 'Builds', icon: 'build' },
      { path: 'trigger', label: 'Trigger', icon: 'trigger' },
    ],
  },
];
