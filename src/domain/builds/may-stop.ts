import type { BuildRequest } from '../../contracts/builds/event.ts';
import { capabilitiesOf } from '../forges/capabilities.ts';

/** Says whether Hapax may stop the run of a build: its forge can cancel runs, and Hapax started it. */
export function mayStop({ forge, shadow }: Pick<BuildRequest, 'forge' | 'shadow'>): boolean {
  return shadow !== true && capabilitiesOf(forge).cancels;
}
