import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Connection } from '@temporalio/client';
import { Program } from '../end-to-end/program.ts';
import { type Certificates, SERVER_NAME } from '../world/certificates.ts';
import { eventually } from '../world/eventually.ts';
import { goTool } from '../world/go-tools.ts';
import { steadyPort } from '../world/steady-port.ts';

const DYNAMIC_CONFIG = fileURLToPath(new URL('../../deploy/temporal/dynamic-config.yaml', import.meta.url));
const DATABASES = { temporal: 'temporal', temporal_visibility: 'visibility' } as const;
const NODES = ['127.0.0.1', '127.0.0.2', '127.0.0.3'];

/** A node with all four services of Temporal, on an address of its own. */
export interface TemporalNode {
  address: string;
  start(): void;
  /** kill -9. */
  kill(): Promise<void>;
  /** SIGSTOP: its connections stay, and it says nothing. */
  freeze(): void;
  thaw(): void;
  readonly output: string;
}

/** A cluster of three nodes on a Postgres, with a namespace, all up. */
export interface TemporalCluster {
  nodes: TemporalNode[];
  namespace: string;
  connect(): Promise<Connection>;
  close(): Promise<void>;
}

/** @param postgres host:port of a server that lets its user `postgres` in without a password */
export async function startTemporalCluster(
  home: string,
  postgres: string,
  certificates: Certificates,
): Promise<TemporalCluster> {
  const [server, sqlTool] = [await goTool('temporal-server'), await goTool('temporal-sql-tool')];
  await makeSchemas(sqlTool, postgres);
  const ports = {
    frontend: await portPair(),
    history: await portPair(),
    matching: await portPair(),
    worker: await portPair(),
  };
  const nodes = await Promise.all(
    NODES.map(async (address, index) => {
      const file = join(home, `temporal-${index + 1}.yaml`);
      // JSON is YAML.
      await writeFile(file, JSON.stringify(configOf(address, ports, postgres, certificates)));
      return nodeOf(`${address}:${ports.frontend.grpcPort}`, join(home, `temporal-${index + 1}.log`), () => ({
        command: server,
        args: ['--config-file', file, '--allow-no-auth', 'start'],
      }));
    }),
  );
  const namespace = 'hapax';
  const connectTo = async (node: TemporalNode) => {
    const [ca, crt, key] = await Promise.all(
      [certificates.ca, certificates.client.cert, certificates.client.key].map((path) => readFile(path)),
    );
    return Connection.connect({
      address: node.address,
      tls: {
        serverNameOverride: SERVER_NAME,
        serverRootCACertificate: ca!,
        clientCertPair: { crt: crt!, key: key! },
      },
    });
  };
  const cluster: TemporalCluster = {
    nodes,
    namespace,
    connect: () => connectTo(nodes[0]!),
    async close() {
      await Promise.all(nodes.map((node) => node.kill()));
    },
  };
  try {
    // Of two that start at the same time, one stops: both write the same row of the cluster.
    for (const node of nodes) {
      node.start();
      await (await eventually(() => connectTo(node))).close();
    }
    const connection = await cluster.connect();
    await eventually(() =>
      connection.workflowService.registerNamespace({
        namespace,
        workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
      }),
    );
    // A namespace is known to all nodes after their next look at the list.
    await eventually(() => connection.workflowService.listWorkflowExecutions({ namespace }));
    await connection.close();
  } catch (error) {
    await cluster.close();
    const said = nodes.map(({ output }) => output.slice(-1_000)).join('\n');
    throw new Error(`Temporal does not come up: ${said}`, { cause: error });
  }
  return cluster;
}

async function makeSchemas(tool: string, postgres: string): Promise<void> {
  const [host, port] = postgres.split(':') as [string, string];
  for (const [database, schema] of Object.entries(DATABASES)) {
    const run = (...args: string[]) =>
      promisify(execFile)(tool, [
        ...['--plugin', 'postgres12_pgx', '--ep', host, '--port', port, '--user', 'postgres', '--password', 'unused'],
        ...['--db', database, ...args],
      ]);
    await run('create-database');
    await run('setup-schema', '--version', '0.0');
    await run('update-schema', '--schema-name', `postgresql/v12/${schema}`);
  }
}

async function portPair() {
  return { grpcPort: await steadyPort(), membershipPort: await steadyPort() };
}

function configOf(
  address: string,
  ports: Record<string, { grpcPort: number; membershipPort: number }>,
  postgres: string,
  { ca, server }: Certificates,
) {
  const sql = (databaseName: string, connections: number) => ({
    sql: {
      pluginName: 'postgres12_pgx',
      databaseName,
      connectAddr: postgres,
      connectProtocol: 'tcp',
      user: 'postgres',
      password: 'unused',
      // Of each of twelve services.
      maxConns: connections,
      maxIdleConns: connections,
      maxConnLifetime: '1h',
    },
  });
  const own = { certFile: server.cert, keyFile: server.key };
  const asClient = { serverName: SERVER_NAME, rootCaFiles: [ca] };
  const group = { server: { ...own, requireClientAuth: true, clientCaFiles: [ca] }, client: asClient };
  return {
    log: { stdout: true, level: 'warn' },
    persistence: {
      defaultStore: 'default',
      visibilityStore: 'visibility',
      numHistoryShards: 12,
      datastores: { default: sql('temporal', 8), visibility: sql('temporal_visibility', 3) },
    },
    global: {
      membership: { maxJoinDuration: '30s', broadcastAddress: address },
      tls: { internode: group, frontend: group, systemWorker: { ...own, client: asClient } },
    },
    services: Object.fromEntries(
      Object.entries(ports).map(([name, pair]) => [name, { rpc: { ...pair, bindOnIP: address } }]),
    ),
    clusterMetadata: {
      enableGlobalNamespace: false,
      failoverVersionIncrement: 10,
      masterClusterName: 'active',
      currentClusterName: 'active',
      clusterInformation: {
        active: {
          enabled: true,
          initialFailoverVersion: 1,
          rpcName: 'frontend',
          rpcAddress: `${address}:${ports.frontend!.grpcPort}`,
        },
      },
    },
    dcRedirectionPolicy: { policy: 'noop' },
    dynamicConfigClient: { filepath: DYNAMIC_CONFIG, pollInterval: '60s' },
  };
}

function nodeOf(address: string, log: string, how: () => { command: string; args: string[] }): TemporalNode {
  let program: Program | undefined;
  return {
    address,
    start() {
      const { command, args } = how();
      program = new Program(command, args, {}, log);
    },
    kill: async () => program?.kill(),
    freeze: () => program?.signal('SIGSTOP'),
    thaw: () => program?.signal('SIGCONT'),
    get output() {
      return program?.output ?? '';
    },
  };
}
