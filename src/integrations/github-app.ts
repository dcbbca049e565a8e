import { createAppAuth } from '@octokit/auth-app';
import type { Octokit } from '@octokit/rest';

/** Logs in as a GitHub App, to each repository by the installation that reaches it. */
export class GitHubApp {
  readonly #octokit: Octokit;
  readonly #auth: ReturnType<typeof createAppAuth>;
  readonly #installations = new Map<string, number>();

  /** @param octokit without a credential of its own. */
  constructor(octokit: Octokit, { appId, privateKey }: { appId: string; privateKey: string }) {
    this.#octokit = octokit;
    this.#auth = createAppAuth({ appId, privateKey, request: octokit.request });
  }

  /**
   * The header `Authorization` of requests to a repository; its token is kept for as long as it holds.
   * @throws what Octokit throws where GitHub gives no token: a 404 where the app is not installed there.
   */
  async authorization(owner: string, repo: string): Promise<string> {
    const repository = `${owner}/${repo}`.toLowerCase();
    const installationId = this.#installations.get(repository) ?? (await this.#installationOf(owner, repo));
    this.#installations.set(repository, installationId);
    try {
      const { token } = await this.#auth({ type: 'installation', installationId });
      return `token ${token}`;
    } catch (error) {
      // It may have been uninstalled, and installed again under another id.
      this.#installations.delete(repository);
      throw error;
    }
  }

  async #installationOf(owner: string, repo: string): Promise<number> {
    const { token } = await this.#auth({ type: 'app' });
    const headers = { authorization: `bearer ${token}` };
    const { data } = await this.#octokit.request('GET /repos/{owner}/{repo}/installation', { owner, repo, headers });
    return data.id;
  }
}
