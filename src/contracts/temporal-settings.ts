import { z } from 'zod';
import { baseUrl, codecKeys, headerSecret, integer, temporalAddress } from './setting-forms.ts';

/** Settings of the connection to Temporal, and of how workers identify themselves to it. */
export const temporalSettings = {
  TEMPORAL_ADDRESS: temporalAddress.optional().meta({
    description:
      'HOST:PORT of Temporal. Several frontends of one Temporal, comma separated: each connection goes to one that answers, and moves to another if that one stops. Not set in laptop mode: Hapax starts a dev server.',
  }),
  TEMPORAL_NAMESPACE: z.string().min(1).default('default').meta({ description: 'Temporal namespace.' }),
  TEMPORAL_API_KEY: headerSecret
    .optional()
    .meta({ description: 'API key for Temporal Cloud. Enables TLS.', secret: true }),
  TEMPORAL_TLS_CA: z
    .string()
    .optional()
    .meta({ description: 'File with the CA certificate of the Temporal server. Enables TLS.' }),
  TEMPORAL_TLS_CERT: z.string().optional().meta({ description: 'Client certificate file (mTLS). Enables TLS.' }),
  TEMPORAL_TLS_KEY: z
    .string()
    .optional()
    .meta({ description: 'File with the private key of the client certificate (mTLS).' }),
  TEMPORAL_TLS_SERVER_NAME: z
    .string()
    .regex(/^[\w.-]+$/, 'must be a host name')
    .optional()
    .meta({
      description:
        'Name that the certificate of the Temporal server must have. Not set: the host in TEMPORAL_ADDRESS, the first one if there are several.',
    }),
  TEMPORAL_CODEC_KEYS: codecKeys.optional().meta({
    description:
      'Keys that encrypt what Temporal keeps (arguments, results, callback URLs), as ID=BASE64 pairs, comma separated; each key has 32 bytes. The first one encrypts, and all decrypt. Use the same value for every process. Not set: everybody who may read the Temporal namespace can read all of it.',
    secret: true,
  }),
  TEMPORAL_WORKER_BUILD_ID: z
    .string()
    .regex(/^[\w.-]{1,100}$/, 'must be a name of letters, digits and . _ -')
    .optional()
    .meta({
      description:
        "Version of this worker, for Temporal's Worker Versioning in cloud mode: workflows run on the version that you make the current one. Not set: any worker runs any workflow.",
    }),
  TEMPORAL_DEPLOYMENT_NAME: z
    .string()
    .regex(/^[\w/-]{1,100}$/, 'must be a name of letters, digits and / _ -')
    .default('hapax')
    .meta({ description: 'Name of the Worker Deployment that TEMPORAL_WORKER_BUILD_ID is a version of.' }),
  TEMPORAL_CLI: z.string().optional().meta({
    description:
      "Path of Temporal's CLI. Not set: Hapax looks in PATH and in its cache, and otherwise downloads it once.",
  }),
  TEMPORAL_PORT: integer(0, 65_535).optional().meta({
    description: 'Port of the dev server. Default: 7233, or any free port if that is taken.',
  }),
  TEMPORAL_UI_URL: baseUrl().optional().meta({
    description:
      "Where people open Temporal's Web UI, for links from builds and tasks; for Temporal Cloud https://cloud.temporal.io. Not set: the Web UI of the dev server, or no links.",
  }),
  TEMPORAL_UI_PORT: integer(0, 65_535).optional().meta({
    description: 'Port of the Web UI of the dev server. Default: 8233, or any free port if that is taken.',
  }),
};

type TemporalSettings = z.output<z.ZodObject<typeof temporalSettings>>;

/** Settings for your own Temporal server. The one that `up` starts uses none of them. */
export const OF_OWN_TEMPORAL = [
  'TEMPORAL_API_KEY',
  'TEMPORAL_TLS_CA',
  'TEMPORAL_TLS_CERT',
  'TEMPORAL_TLS_KEY',
  'TEMPORAL_TLS_SERVER_NAME',
] as const;

/** Returns one line for each combination of settings that cannot work. */
export function temporalFaults(settings: TemporalSettings & { DEPLOYMENT_MODE: string }): string[] {
  const faults: string[] = [];
  if ((settings.TEMPORAL_TLS_CERT === undefined) !== (settings.TEMPORAL_TLS_KEY === undefined)) {
    faults.push('TEMPORAL_TLS_CERT: mTLS needs both TEMPORAL_TLS_CERT and TEMPORAL_TLS_KEY');
  }
  if (settings.TEMPORAL_WORKER_BUILD_ID !== undefined && settings.DEPLOYMENT_MODE !== 'cloud') {
    faults.push('TEMPORAL_WORKER_BUILD_ID: is for cloud mode; leave it out');
  }
  if (settings.TEMPORAL_TLS_SERVER_NAME !== undefined && !usesTls(settings)) {
    faults.push('TEMPORAL_TLS_SERVER_NAME: is for TLS; set TEMPORAL_TLS_CA, TEMPORAL_TLS_CERT or TEMPORAL_API_KEY too');
  }
  return faults;
}

/** Says whether connections to Temporal use TLS. */
export function usesTls(
  settings: Pick<TemporalSettings, 'TEMPORAL_API_KEY' | 'TEMPORAL_TLS_CA' | 'TEMPORAL_TLS_CERT'>,
): boolean {
  const { TEMPORAL_API_KEY: apiKey, TEMPORAL_TLS_CA: ca, TEMPORAL_TLS_CERT: cert } = settings;
  return apiKey !== undefined || ca !== undefined || cert !== undefined;
}
