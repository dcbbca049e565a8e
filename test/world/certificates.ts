import { execFile } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Files in PEM of a test's own authority. */
export interface Certificates {
  ca: string;
  /** Of Temporal's nodes, valid for {@link SERVER_NAME} and no address: what checks another name fails. */
  server: { cert: string; key: string };
  /** Of Hapax. */
  client: { cert: string; key: string };
}

/** The name that all nodes show. */
export const SERVER_NAME = 'temporal.test';

/** Makes an authority and two certificates by openssl, valid for two days. @param server what the server's is valid for. */
export async function makeCertificates(directory: string, server = `DNS:${SERVER_NAME}`): Promise<Certificates> {
  const path = (name: string) => join(directory, name);
  const openssl = (...args: string[]) => run('openssl', args);
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const authority = { cert: path('ca.crt'), key: path('ca.key') };
  await openssl('req', '-x509', ...newKey, '-subj', '/CN=test', '-keyout', authority.key, '-out', authority.cert);
  const signed = async (name: string, extensions: string) => {
    const files = { cert: path(`${name}.crt`), key: path(`${name}.key`) };
    await writeFile(path(`${name}.ext`), extensions);
    await openssl(
      ...['req', '-x509', '-CA', authority.cert, '-CAkey', authority.key, ...newKey, '-subj', `/CN=${name}`],
      ...['-addext', 'basicConstraints=critical,CA:FALSE', '-addext', extensions],
      ...['-keyout', files.key, '-out', files.cert],
    );
    await chmod(files.key, 0o600);
    return files;
  };
  return {
    ca: authority.cert,
    server: await signed('server', `subjectAltName=${server}`),
    client: await signed('client', 'extendedKeyUsage=clientAuth'),
  };
}
