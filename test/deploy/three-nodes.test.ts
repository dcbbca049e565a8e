import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const read = (path: string) => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');

describe('deploy/temporal/three-nodes.yaml', () => {
  const values = parse(read('deploy/temporal/three-nodes.yaml'), { merge: true });

  it('has three of each service, of which one may go away', () => {
    expect(values.server.replicaCount).toBe(3);
    for (const service of ['frontend', 'history', 'matching', 'worker']) {
      expect(values.server[service].podDisruptionBudget, service).toEqual({ maxUnavailable: 1 });
      expect(values.server[service].replicaCount, service).toBeUndefined();
      const [byNode] = values.server[service].topologySpreadConstraints;
      expect(byNode, service).toMatchObject({
        topologyKey: 'kubernetes.io/hostname',
        whenUnsatisfiable: 'DoNotSchedule',
      });
    }
  });

  it('has the dynamic configuration of the one server in docker-compose.yml', () => {
    expect(values.server.dynamicConfig).toEqual(parse(read('deploy/temporal/dynamic-config.yaml')));
  });

  it('uses the databases and the login of deploy/postgres/roles.sql, and holds no password', () => {
    const roles = read('deploy/postgres/roles.sql');
    const { default: workflows, visibility } = values.server.config.persistence.datastores;
    for (const { sql } of [workflows, visibility]) {
      expect(roles).toContain(`CREATE DATABASE ${sql.databaseName} OWNER ${sql.user};`);
      expect(sql).toMatchObject({ existingSecret: 'temporal-database', createDatabase: false, manageSchema: true });
      expect(sql.password).toBeUndefined();
    }
    expect(values.server.config.namespaces.namespace).toEqual([{ name: 'hapax', retention: '7d' }]);
  });
});
