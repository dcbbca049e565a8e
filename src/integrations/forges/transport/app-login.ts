import { createAppAuth } from '@octokit/auth-app';
import type { Octokit } from '@octokit/rest';
import githubAppJwt from 'universal-github-app-jwt';

/** A token by which an app acts in one installation. */
export interface InstallationToken {
  readonly value: string;
  readonly installationId: number;
  /** On the clock of performance.now(), milliseconds. */
  readonly madeAt: number;
  /** On GitHub's clock, epoch milliseconds; NaN where GitHub did not say. */
  readonly expiresAt: number;
  /** GitHub has done something with it. */
  works: boolean;
}

/** A token that never worked may be unknown to parts of GitHub for so long (octokit/auth-app.js#65, akuity/kargo#6630). */
const YOUNG_MS = 30_000;
/** Pauses before a request is sent again with such a token. */
const PAUSES_MS = [250, 500, 750, 1_000, 1_500] as const;
/** Tokens live for an hour. */
const LONGEST_USE_MS = 59 * 60_000;
/** So long before its end a token is replaced, for a request that is on its way then. */
const EARLIER_MS = 60_000;

/** Logs in as a GitHub App, to each repository by the installation that reaches it. */
export class GitHubApp {
  readonly #octokit: Octokit;
  readonly #auth: ReturnType<typeof createAppAuth>;
  readonly #now: () => number;
  readonly #installations = new Map<string, number>();
  readonly #tokens = new Map<number, InstallationToken>();
  readonly #making = new Map<number, Promise<InstallationToken>>();

  /**
   * @param octokit without a credential of its own.
   * @param now what GitHub's clock shows, epoch milliseconds: GitHub refuses what is signed by another one.
   */
  constructor(octokit: Octokit, { appId, privateKey }: { appId: string; privateKey: string }, now: () => number) {
    this.#octokit = octokit;
    this.#now = now;
    const createJwt = async () => {
      const { token, expiration } = await githubAppJwt({ id: appId, privateKey, now: Math.floor(now() / 1_000) });
      return { jwt: token, expiresAt: new Date(expiration * 1_000).toISOString() };
    };
    this.#auth = createAppAuth({ appId, createJwt, request: octokit.request });
  }

  /**
   * The token for requests to a repository, kept for as long as it holds.
   * @throws what Octokit throws where GitHub gives no token: a 404 where the app is not installed there.
   */
  async tokenFor(owner: string, repo: string): Promise<InstallationToken> {
    const repository = keyOf(owner, repo);
    const installationId = this.#installations.get(repository) ?? (await this.#installationOf(owner, repo));
    this.#installations.set(repository, installationId);
    const held = this.#tokens.get(installationId);
    if (held && this.#holds(held)) return held;
    try {
      return await this.#make(installationId);
    } catch (error) {
      // It may have been uninstalled, and installed again under another id.
      this.#installations.delete(repository);
      throw error;
    }
  }

  /** Asks again by which installation a repository is reached. */
  forget(owner: string, repo: string): void {
    this.#installations.delete(keyOf(owner, repo));
  }

  /** Whether GitHub may not know the token for a repository everywhere yet. */
  isYoung(owner: string, repo: string): boolean {
    const token = this.#tokens.get(this.#installations.get(keyOf(owner, repo)) ?? Number.NaN);
    return token !== undefined && performance.now() - token.madeAt < YOUNG_MS;
  }

  /**
   * Takes what GitHub answered to a token. After a 401 it says in how many milliseconds to try again: with the same token
   * where that is new, with another where it had worked before or should have by now; undefined once that is enough.
   * @param tries how often the request was sent.
   */
  answered(token: InstallationToken, status: number, tries: number): number | undefined {
    if (status !== 401) {
      // A 404 may be GitHub's way not to know a token.
      if (status < 400 || status === 409 || status === 422) token.works = true;
      return undefined;
    }
    const isNew = !token.works && performance.now() - token.madeAt < YOUNG_MS;
    if (!isNew && this.#tokens.get(token.installationId) === token) this.#tokens.delete(token.installationId);
    return isNew || tries > 1 ? PAUSES_MS[tries - 1] : 0;
  }

  #holds({ madeAt, expiresAt }: InstallationToken): boolean {
    return performance.now() - madeAt < LONGEST_USE_MS && !(expiresAt - this.#now() < EARLIER_MS);
  }

  /** Makes one token at a time, however many ask. */
  #make(installationId: number): Promise<InstallationToken> {
    const making =
      this.#making.get(installationId) ??
      this.#makeNow(installationId).finally(() => this.#making.delete(installationId));
    this.#making.set(installationId, making);
    return making;
  }

  async #makeNow(installationId: number): Promise<InstallationToken> {
    const made = await this.#signed(() => this.#auth({ type: 'installation', installationId, refresh: true }));
    const expiresAt = Date.parse(made.expiresAt);
    const token = { value: made.token, installationId, madeAt: performance.now(), expiresAt, works: false };
    this.#tokens.set(installationId, token);
    return token;
  }

  async #installationOf(owner: string, repo: string): Promise<number> {
    const { data } = await this.#signed(async () => {
      const { token } = await this.#auth({ type: 'app' });
      const headers = { authorization: `bearer ${token}` };
      return this.#octokit.request('GET /repos/{owner}/{repo}/installation', { owner, repo, headers });
    });
    return data.id;
  }

  /** Asks once more where the first answer showed that GitHub's clock is not the one by which the request was signed. */
  async #signed<Result>(ask: () => Promise<Result>): Promise<Result> {
    const signedAt = this.#now() - Date.now();
    try {
      return await ask();
    } catch (error) {
      const offMs = Math.abs(this.#now() - Date.now() - signedAt);
      if ((error as { status?: number }).status !== 401 || offMs < 10_000) throw error;
      return ask();
    }
  }
}

function keyOf(owner: string, repo: string): string {
  return `${owner}/${repo}`.toLowerCase();
}
