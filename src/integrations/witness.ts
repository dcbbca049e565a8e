import type { WitnessAddress } from '../contracts/checkpoint-settings.ts';
import type { Hash } from '../domain/record/merkle-tree.ts';
import { isSignedBy, readNoteVerifier, splitNote } from '../domain/record/signed-note.ts';
import { fetchFault } from './fetch-fault.ts';

const TIMEOUT_MS = 10_000;
/** The most of a witness's response that is read. It responds with some lines. */
const ANSWER_CHARACTERS = 20_000;

/** Proves that the tree of the checkpoint starts with the tree of a given size. @throws if that is larger. */
export type Prove = (from: number) => Promise<readonly Hash[]>;

/**
 * Asks a witness to sign a checkpoint. It signs if the tree continues the one that it saw last (C2SP tlog-witness).
 * @param known size of the tree that it saw last, as far as Hapax knows.
 * @returns its signatures. @throws {Error} if it does not sign.
 */
export async function cosign(
  { url, verifierKey }: WitnessAddress,
  note: string,
  known: number,
  prove: Prove,
): Promise<string[]> {
  const submit = async (old: number) => {
    const proof = (await prove(old)).map((hash) => `${hash.toString('base64')}\n`).join('');
    return post(`${url}/add-checkpoint`, `old ${old}\n${proof}\n${note}`);
  };
  let answer = await submit(known);
  // The witness says which tree it saw last.
  if (answer.status === 409 && /^\d{1,15}\n$/.test(answer.text)) answer = await submit(Number(answer.text));
  if (answer.status !== 200) throw new Error(`the witness ${url} answered ${answer.status}`);
  const verifier = readNoteVerifier(verifierKey);
  const { text } = splitNote(note)!;
  const own = answer.text.split(/(?<=\n)/u).filter((line) => isSignedBy(verifier, text, [line]));
  if (own.length === 0) throw new Error(`the witness ${url} did not sign with the key that is configured`);
  return own;
}

async function post(url: string, body: string): Promise<{ status: number; text: string }> {
  try {
    const answer = await fetch(url, {
      method: 'POST',
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return { status: answer.status, text: (await answer.text()).slice(0, ANSWER_CHARACTERS) };
  } catch (error) {
    throw new Error(`the witness ${url} does not answer (${fetchFault(error)})`, { cause: error });
  }
}
