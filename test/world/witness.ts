import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { isSignedByLog, readCheckpoint } from '../../src/domain/record/checkpoint.ts';
import type { TreeHead } from '../../src/domain/record/merkle-tree.ts';
import { readNoteVerifier } from '../../src/domain/record/signed-note.ts';
import { isConsistent } from './merkle-proofs.ts';

const NAME = 'witness.test/w1';

/** A witness as C2SP tlog-witness describes it: it signs what continues the checkpoint that it signed before. */
export async function startWitness(logKey: () => string) {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const raw = Buffer.concat([Buffer.of(4), publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)]);
  const id = createHash('sha256').update(`${NAME}\n`).update(raw).digest().subarray(0, 4);
  let last: TreeHead = { size: 0, root: Buffer.alloc(0) };

  function answer(body: string): [status: number, text: string] {
    const [, old = '', proof = '', note = ''] = /^old (\d+)\n((?:[A-Za-z0-9+/=]+\n)*)\n([\s\S]+)$/.exec(body) ?? [];
    const checkpoint = readCheckpoint(note);
    if (!checkpoint || Number(old) > checkpoint.size) return [400, ''];
    if (!isSignedByLog(checkpoint, readNoteVerifier(logKey()))) return [403, ''];
    if (Number(old) !== last.size) return [409, `${last.size}\n`];
    const hashes = proof
      .split('\n')
      .filter(Boolean)
      .map((line) => Buffer.from(line, 'base64'));
    if (last.size > 0 && !isConsistent(last, checkpoint, hashes)) return [422, ''];
    last = checkpoint;
    const time = BigInt(Math.floor(Date.now() / 1_000));
    const at = Buffer.alloc(8);
    at.writeBigUInt64BE(time);
    const signature = sign(null, Buffer.from(`cosignature/v1\ntime ${time}\n${checkpoint.text}`), privateKey);
    return [200, `— ${NAME} ${Buffer.concat([id, at, signature]).toString('base64')}\n`];
  }

  const statuses: number[] = [];
  const server = createServer(async (request, response) => {
    const [status, body] = answer(await text(request));
    statuses.push(status);
    response.writeHead(status, { 'content-type': status === 409 ? 'text/x.tlog.size' : 'text/plain' }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    verifierKey: `${NAME}+${id.toString('hex')}+${raw.toString('base64')}`,
    /** What it answered, in order. */
    statuses,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}
