import type { ForgePlace } from '../../contracts/forges/forge.ts';
import type { ForgeCredential } from '../../contracts/forges/forge-settings.ts';
import { forgejoDialect } from './dialects/forgejo.ts';
import { giteaDialect } from './dialects/gitea.ts';
import { GitHubDialect } from './dialects/github.ts';
import { Forge, type ForgeOptions } from './forge.ts';

/** What every forge of an installation shares. */
export interface ForgesOptions extends Pick<ForgeOptions, 'requestTimeoutMs' | 'onResponse'> {
  credentials: ReadonlyMap<string, ForgeCredential>;
  /** Keeps the writes of a named credential. */
  paceOf(credential: ForgeCredential, limitsWrites: boolean): ForgeOptions['pace'];
}

/** Thrown where the settings have no credential for a place; the message says what to set. */
export class NoCredential extends Error {
  override readonly name = 'NoCredential';
}

/** The forges of an installation, side by side: GitHub by the settings, and one for each named credential and kind. */
export class Forges {
  readonly #github: Forge;
  readonly #options: ForgesOptions;
  readonly #named = new Map<string, Forge>();

  constructor(github: Forge, options: ForgesOptions) {
    this.#github = github;
    this.#options = options;
  }

  /**
   * The forge of a build. @param place undefined: GitHub by the settings.
   * @throws {NoCredential} where its credential is not set, or leads elsewhere by now.
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

  /** One forge for each named credential that no build has named a kind for; used to look whether the credential is taken. */
  check(name: string): Promise<void> {
    const credential = this.#options.credentials.get(name)!;
    const key = `check ${name}`;
    const forge = this.#named.get(key) ?? this.#open('github', name, credential, new URL(credential.apiUrl).host);
    this.#named.set(key, forge);
    return forge.checkCredential();
  }

  /** What people have to change before forges with named credentials take what they refused lately; one line each. */
  get troubles(): string[] {
    return [...new Set([...this.#named.values()].flatMap(({ troubles }) => troubles))];
  }

  #open(kind: ForgePlace['kind'], name: string, credential: ForgeCredential, called?: string): Forge {
    const dialect = { github: new GitHubDialect(), gitea: giteaDialect, forgejo: forgejoDialect }[kind];
    const { requestTimeoutMs, onResponse, paceOf } = this.#options;
    const pace = paceOf(credential, dialect.capabilities.limits_writes);
    return new Forge({
      apiUrl: credential.apiUrl,
      auth: { token: credential.token },
      named: { forge: called ?? dialect.capabilities.name, setting: `FORGE_CREDENTIALS ${name}` },
      requestTimeoutMs,
      ...(onResponse ? { onResponse } : {}),
      ...(pace ? { pace } : {}),
      dialect,
    });
  }
}
