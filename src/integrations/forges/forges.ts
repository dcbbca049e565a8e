import type { BuildRequest } from '../../contracts/builds/event.ts';
import type { ForgePlace } from '../../contracts/forges/forge.ts';
import type { ForgeCredential } from '../../contracts/forges/forge-settings.ts';
import type { DispatchOutcome } from '../../contracts/github/github.ts';
import { forgejoDialect } from './dialects/forgejo.ts';
import { giteaDialect } from './dialects/gitea.ts';
import { GitHubDialect } from './dialects/github.ts';
import { Forge, type ForgeOptions } from './forge.ts';

/** Options that all forges of an installation share. */
export interface ForgesOptions extends Pick<ForgeOptions, 'requestTimeoutMs' | 'onResponse' | 'tracing'> {
  credentials: ReadonlyMap<string, ForgeCredential>;
  /** Paces the writes of a named credential. */
  paceOf(credential: ForgeCredential, limitsWrites: boolean): ForgeOptions['pace'];
}

/** Thrown if the settings have no credential for a place. The message says what to set. */
export class NoCredential extends Error {
  override readonly name = 'NoCredential';
}

/** Returns the outcome of a request without a credential in the settings. It waits until somebody sets one. */
export function notSent(error: NoCredential) {
  return { kind: 'not_sent', reason: error.message, wait_ms: null } as const;
}

/** Calls the forge of a place. @param otherwise the result if the settings have no credential for it. */
export async function unlessMissing<T>(
  forges: Pick<Forges, 'of'>,
  place: ForgePlace | undefined,
  ask: (forge: Forge) => Promise<T>,
  otherwise: (error: NoCredential) => T,
): Promise<T> {
  let forge: Forge;
  try {
    forge = forges.of(place);
  } catch (error) {
    if (error instanceof NoCredential) return otherwise(error);
    throw error;
  }
  return ask(forge);
}

/** Sends a dispatch to its forge, and counts what became of it. It waits if the settings have no credential for the forge. */
export async function sendDispatch(
  forges: Pick<Forges, 'of'>,
  request: BuildRequest,
  correlation: { input: string; token: string } | null,
  meter?: { dispatched(outcome: DispatchOutcome['kind']): void },
): Promise<DispatchOutcome> {
  const outcome = await unlessMissing<DispatchOutcome>(
    forges,
    request.forge,
    (forge) => forge.writes.dispatch(request, correlation),
    notSent,
  );
  meter?.dispatched(outcome.kind);
  return outcome;
}

/** The forges of an installation: GitHub by the settings, and one for each named credential and kind. */
export class Forges {
  readonly #github: Forge;
  readonly #options: ForgesOptions;
  readonly #named = new Map<string, Forge>();

  constructor(github: Forge, options: ForgesOptions) {
    this.#github = github;
    this.#options = options;
  }

  /**
   * Returns the forge of a build. @param place undefined: GitHub by the settings.
   * @throws {NoCredential} if its credential is not set, or is for another URL now.
   */
  of(place: ForgePlace | undefined): Forge {
    if (!place) return this.#github;
    const { kind, credential: name, api_url } = place;
    const credential = this.#options.credentials.get(name);
    if (!credential) throw new NoCredential(`FORGE_CREDENTIALS: has no ${name}, which this build runs with; set it`);
    if (credential.apiUrl !== api_url) {
      throw new NoCredential(
        `FORGE_CREDENTIALS: ${name} leads to ${credential.apiUrl}, but this build runs at ${api_url}; correct it`,
      );
    }
    const key = `${kind} ${name}`;
    const known = this.#named.get(key) ?? this.#open(kind, name, credential);
    this.#named.set(key, known);
    return known;
  }

  /** Checks whether a named credential is accepted. It uses a forge of its own, because no build has named the kind of the forge. */
  check(name: string): Promise<void> {
    const credential = this.#options.credentials.get(name)!;
    const key = `check ${name}`;
    const forge = this.#named.get(key) ?? this.#open('github', name, credential, new URL(credential.apiUrl).host);
    this.#named.set(key, forge);
    return forge.checkCredential();
  }

  /** Changes that people must make so that forges with named credentials accept what they refused lately; one line each. */
  get troubles(): string[] {
    return [...new Set([...this.#named.values()].flatMap(({ troubles }) => troubles))];
  }

  #open(kind: ForgePlace['kind'], name: string, credential: ForgeCredential, called?: string): Forge {
    const dialect = { github: new GitHubDialect(), gitea: giteaDialect, forgejo: forgejoDialect }[kind];
    const { requestTimeoutMs, onResponse, tracing, paceOf } = this.#options;
    const pace = paceOf(credential, dialect.capabilities.limits_writes);
    return new Forge({
      apiUrl: credential.apiUrl,
      auth: { token: credential.token },
      named: { forge: called ?? dialect.capabilities.name, setting: `FORGE_CREDENTIALS ${name}` },
      requestTimeoutMs,
      ...(onResponse ? { onResponse } : {}),
      ...(tracing ? { tracing } : {}),
      ...(pace ? { pace } : {}),
      dialect,
    });
  }
}
