import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { createMetrics } from '../../src/processes/metrics.ts';
import { openDatabase } from '../../src/store/database.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

interface Alert {
  alert: string;
  expr: string;
  labels: { severity: string };
  annotations: { summary: string; runbook_url: string };
}
const alerts: Alert[] = parse(read('deploy/monitoring/alerts.yaml')).groups[0].rules;
const dashboard: { panels: Array<{ title: string; targets: Array<{ expr: string }> }> } = JSON.parse(
  read('deploy/monitoring/dashboard.json'),
);
const page = read('docs/monitoring.md');

describe('what is watched of Hapax', () => {
  /** What processes serve, by name: its type. */
  let served: Map<string, string>;
  beforeAll(async () => {
    // What each metric is called does not depend on the database.
    const { db, close } = openDatabase({ url: 'postgres://nobody@127.0.0.1:1/none' });
    const text = await createMetrics(db).scrape();
    await close();
    served = new Map([...text.matchAll(/^# TYPE (hapax_\w+) (\w+)$/gm)].map(([, name, type]) => [name!, type!]));
  });

  const isScalar = (name: string) => served.has(name) && served.get(name) !== 'histogram';

  /** Series that an expression names and no process serves. */
  function unknownIn(expression: string): string[] {
    return [...expression.matchAll(/\bhapax_\w+/g)]
      .map(([name]) => name)
      .filter((name) => {
        const base = name.replace(/_(bucket|sum|count)$/, '');
        return base === name || !served.has(base) ? !isScalar(name) : served.get(base) !== 'histogram';
      });
  }

  it('is on the page of metrics, all of it and with its type', () => {
    const rows = [...page.matchAll(/^\| `(hapax_\w+)` \| (\w+) \|/gm)].map(([, name, type]) => [name, type]);
    expect(rows.toSorted()).toEqual([...served].toSorted());
  });

  it('is there for every alert, which a paragraph explains', () => {
    for (const { alert, expr, annotations, labels } of alerts) {
      expect([alert, unknownIn(expr)]).toEqual([alert, []]);
      expect(['page', 'ticket']).toContain(labels.severity);
      expect(annotations.runbook_url).toBe(`docs/monitoring.md#${alert.toLowerCase()}`);
      expect(page).toMatch(new RegExp(`^### ${alert}\n\n\\S`, 'm'));
    }
    const explained = [...page.matchAll(/^### (Hapax\w+)$/gm)].map(([, name]) => name);
    expect(explained.toSorted()).toEqual(alerts.map(({ alert }) => alert).toSorted());
  });

  it('tells an API that is away from a worker that lives', async () => {
    const [series] = /hapax_\w+/.exec(alerts.find(({ alert }) => alert === 'HapaxAway')!.expr)!;
    const { db, close } = openDatabase({ url: 'postgres://nobody@127.0.0.1:1/none' });
    onTestFinished(() => close());
    const metrics = createMetrics(db);
    const hasSeries = async () => new RegExp(`^${series}\\b`, 'm').test(await metrics.scrape());
    expect(await hasSeries()).toBe(false);
    metrics.answered({ route: '/metrics', method: 'GET', status: 200 }, 0.01);
    expect(await hasSeries()).toBe(true);
  });

  it('is there for every panel of the dashboard', () => {
    for (const { title, targets } of dashboard.panels) {
      expect([title, targets.flatMap(({ expr }) => unknownIn(expr))]).toEqual([title, []]);
      expect(targets.every(({ expr }) => /hapax_/.test(expr))).toBe(true);
    }
  });

  it('would show a name that is none', () => {
    expect(unknownIn('rate(hapax_builds_accepted_total[5m])')).toEqual([]);
    expect(unknownIn('rate(hapax_build_duration_seconds_bucket[5m])')).toEqual([]);
    expect(unknownIn('hapax_queue_depth_bucket + hapax_build_duration_seconds + hapax_none')).toHaveLength(3);
  });
});
