import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'amqplib';
import { eventually } from './eventually.ts';
import { installed, type ServerProcess, serverProcess } from './server-process.ts';
import { steadyPort } from './steady-port.ts';

/** A real RabbitMQ of the test's own. */
export interface RabbitMq {
  url: string;
  /** Ends it: SIGKILL in the middle of its work, SIGTERM in order. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again on its port and data. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/** The server itself: the wrapper in PATH changes the user where root calls it. */
const SERVER = installed('/usr/lib/rabbitmq/bin/rabbitmq-server', 'rabbitmq-server');
const PORT_MAPPER = installed('epmd');

export const hasRabbitMq = SERVER !== undefined && PORT_MAPPER !== undefined;

/** Starts RabbitMQ with a node name, a port mapper and a directory of its own, on loopback. */
export async function startRabbitMq(): Promise<RabbitMq> {
  if (!SERVER || !PORT_MAPPER) throw new Error('RabbitMQ is not installed; apt-get install rabbitmq-server');
  const home = await mkdtemp(join(tmpdir(), 'hapax-rabbitmq-'));
  const [port, mapperPort, distributionPort] = [await steadyPort(), await steadyPort(), await steadyPort()];
  await writeFile(join(home, 'plugins'), '[].');
  await writeFile(
    join(home, 'rabbitmq.conf'),
    'vm_memory_high_watermark.absolute = 1GiB\ndisk_free_limit.absolute = 1MB\n',
  );
  const mapper = serverProcess(PORT_MAPPER, ['-port', `${mapperPort}`, '-address', '127.0.0.1'], { HOME: home });
  const environment = {
    HOME: home,
    // Without it a script stays between us and the server.
    RUNNING_UNDER_SYSTEMD: '1',
    RABBITMQ_NODENAME: `hapax-${port}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: `${port}`,
    RABBITMQ_DIST_PORT: `${distributionPort}`,
    ERL_EPMD_PORT: `${mapperPort}`,
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_MNESIA_BASE: join(home, 'data'),
    RABBITMQ_LOG_BASE: join(home, 'log'),
    RABBITMQ_CONFIG_FILE: join(home, 'rabbitmq.conf'),
    RABBITMQ_CONF_ENV_FILE: join(home, 'no-such-file'),
    RABBITMQ_ADVANCED_CONFIG_FILE: join(home, 'no-such-file.config'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(home, 'plugins'),
    RABBITMQ_PID_FILE: join(home, 'pid'),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '+S 2:2 +sbwt none -kernel inet_dist_use_interface {127,0,0,1}',
  };
  const url = `amqp://guest:guest@127.0.0.1:${port}/%2F`;
  let server: ServerProcess | undefined;
  /**
   * Waits until the queues that there are have been written. RabbitMQ writes a new queue after some seconds, but confirms its messages at
   * once. If it is killed in between, it forgets both, which no client can mend. What it writes keeps its order.
   */
  const queuesWritten = async () => {
    const mark = randomUUID();
    const connection = await connect(url);
    await (await connection.createChannel()).assertQueue(mark, { durable: true });
    await connection.close();
    const directory = join(environment.RABBITMQ_MNESIA_BASE, environment.RABBITMQ_NODENAME);
    await eventually(async () => {
      const logs = (await readdir(directory)).filter((name) => /^(LATEST\.LOG|rabbit_durable_queue\.D..)$/.test(name));
      const written = await Promise.all(logs.map((name) => readFile(join(directory, name), 'latin1')));
      if (!written.some((text) => text.includes(mark)))
        throw new Error(`RabbitMQ has not written its queues to ${directory}`);
    });
  };
  const it: RabbitMq = {
    url,
    async start() {
      server = serverProcess(SERVER, [], environment);
      await eventually(async () => {
        if (!server?.running) throw new Error(`RabbitMQ ended; see ${join(home, 'log')}`);
        await (await connect(url)).close();
      }, 120_000);
    },
    async stop(signal = 'SIGTERM') {
      if (signal === 'SIGKILL' && server?.running) await queuesWritten();
      await server?.stop(signal);
    },
    async close() {
      await server?.stop('SIGKILL');
      await mapper.stop('SIGTERM');
      await rm(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
  try {
    await it.start();
  } catch (error) {
    await server?.stop('SIGKILL');
    await mapper.stop('SIGTERM');
    throw error;
  }
  return it;
}
