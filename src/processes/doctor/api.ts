import type { Check } from '../../contracts/check.ts';
import type { Health } from '../../contracts/health.ts';
import { fault, note, ok } from './findings.ts';
import { lineOf, type Patient, urlAt } from './patient.ts';

/** Checks what the running API reports about itself. */
export async function checkApi({ settings, running }: Patient): Promise<Check[]> {
  const name = 'api';
  const url = running?.url ?? urlAt(settings.HOST, settings.PORT);
  let health: Health;
  try {
    const [key] = settings.API_KEYS?.values() ?? [];
    const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
    const response = await fetch(`${url}/health`, { headers, signal: AbortSignal.timeout(5_000) });
    health = (await response.json()) as Health;
    if (!health.dependencies) throw new Error(`${url} does not respond like Hapax`);
  } catch (error) {
    const reason = lineOf((error as { cause?: unknown }).cause ?? error);
    if (running) return [fault(name, `${url} does not respond: ${reason}`, 'stop hapax up and start it again')];
    return [note(name, `no API runs at ${url}`, 'start it with: hapax up')];
  }
  const { dependencies, reconciliation, version } = health;
  const faults = Object.entries(dependencies)
    .filter(([, it]) => it?.status === 'degraded')
    .map(([dependency, it]) => {
      const detail = `${dependency} is degraded: ${it?.detail ?? 'its log says why'}`;
      return fault(name, detail, 'see docs/operations.md, "Is it healthy?"');
    });
  const unresolved = reconciliation?.unresolved ?? 0;
  if (unresolved > 0) {
    const detail = `${unresolved} builds and tasks differ between record and Temporal`;
    faults.push(fault(name, detail, 'run: hapax reconcile --dry-run'));
  }
  return faults.length > 0 ? faults : [ok(name, `${url}, version ${version}, all it needs is there`)];
}
