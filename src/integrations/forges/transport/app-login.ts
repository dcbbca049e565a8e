import { createAppAuth } from '@octokit/auth-app';
import type { Octokit } from '@octokit/rest';
import githubAppJwt from 'universal-github-app-jwt';

/** A token with which an app acts in one installation. */
export interface InstallationToken {
  readonly value: string;
  readonly installationId: number;
  /** By the clock of performance.now(), in milliseconds. */
  readonly madeAt: number;
  /** By GitHub's clock, in epoch milliseconds; NaN if GitHub did not say. */
  readonly expiresAt: number;
  /** Whether GitHub has accepted it at least once. */
  works: boolean;
}

/** How long parts of GitHub may not know a token that has never worked (octokit/auth-app.js#65, akuity/kargo#6630). */
const YOUNG_MS = 30_000;
/** Pauses before a request with such a token is sent again. */
const PAUSES_MS = [250, 500, 750, 1_000, 1_500] as const;
/** How long a token is used. Tokens are valid for an hour. */
const LONGEST_USE_MS = 59 * 60_000;
/** How long before its end a token is replaced, for requests that are still on their way then. */
const EARLIER_MS = 60_000;
/** How long an installation is used for a repository, at least, although it does not see what is asked for. */
const SHORTEST_STAY_MS = 60_000;

/** Logs in as a GitHub App, for each repository by the installation that has access to it. */
export class GitHubApp {
  readonly #octokit: Octokit;
  readonly #auth: ReturnType<typeof createAppAuth>;
  readonly #now: () => number;
  /** The installation of each repository; `foundAt` by the clock of performance.now(), in milliseconds. */
  readonly #installations = new Map<string, { id: number; foundAt: number }>();
  readonly #tokens = new Map<number, InstallationToken>();
  readonly #making = new Map<number, Promise<InstallationToken>>();

  /**
   * @param octokit without a credential of its own.
   * @param now returns the time of GitHub's clock in epoch milliseconds: GitHub refuses what is signed by another clock.
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
   * Returns the token for requests to a repository, and keeps it while it is valid.
   * @throws Octokit's error if GitHub issues no token: a 404 if the app is not installed there.
   */
  async tokenFor(owner: string, repo: string): Promise<InstallationToken> {
    const repository = keyOf(owner, repo);
    const known = this.#installations.get(repository);
    const installationId = known?.id ?? (await this.#installationOf(owner, repo));
    if (!known) this.#installations.set(repository, { id: installationId, foundAt: performance.now() });
    const held = this.#tokens.get(installationId);
    if (held && this.#holds(held)) return held;
    try {
      return await this.#make(installationId);
    } catch (error) {
      // The app may have been uninstalled, and installed again with another id.
      this.#installations.delete(repository);
      throw error;
    }
  }

  /** Forgets which installation has access to a repository, so that the next request asks again. */
  forget(owner: string, repo: string): void {
    this.#installations.delete(keyOf(owner, repo));
  }

  /**
   * Handles a read that found nothing: the repository may have moved to another owner, whose installation sees it. Forgets the
   * installation, but at most once a minute, because what was read may really be gone.
   */
  missed(owner: string, repo: string): void {
    const known = this.#installations.get(keyOf(owner, repo));
    if (known && performance.now() - known.foundAt > SHORTEST_STAY_MS) this.forget(owner, repo);
  }

  /** Says whether parts of GitHub may not know the token for a repository yet. */
  isYoung(owner: string, repo: string): boolean {
    const token = this.#tokens.get(this.#installations.get(keyOf(owner, repo))?.id ?? Number.NaN);
    return token !== undefined && performance.now() - token.madeAt < YOUNG_MS;
  }

  /**
   * Handles GitHub's response to a token. After a 401, returns in how many milliseconds to try again: with the same token if it is new, or
   * with another if it has worked before or should by now. Returns undefined after enough attempts.
   * @param tries how often the request was sent.
   */
  answered(token: InstallationToken, status: number, tries: number): number | undefined {
    if (status !== 401) {
      // With a 404, GitHub may mean that it does not know the token.
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

  /** Requests one token at a time, however many callers need it. */
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

  /** Tries once more if the first response showed that GitHub's clock differs from the clock that signed the request. */
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
