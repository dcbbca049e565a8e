import { readSettings, type Settings, SettingsError } from '../contracts/settings.ts';
import { ForgeError } from '../integrations/forges/forge-error.ts';
import { UserError } from '../laptop/user-error.ts';
import { connectGitHub } from './github.ts';

type Answer = { value: string } | { fault: string };

/** Checks settings of GitHub one after the other, each with one read. `settings` holds those that were already found sound. */
export function createGitHubChecks(settings: Record<string, string>) {
  const parsed = (more: Record<string, string>): Settings | { fault: string } => {
    try {
      // `rebuild` needs no repository, and no settings that later questions ask for.
      return readSettings({ ...settings, ...more }, 'rebuild');
    } catch (error) {
      if (error instanceof SettingsError) return { fault: error.message };
      throw error;
    }
  };
  const check = async (name: string, text: string, look: (all: Settings) => Promise<string[]>): Promise<Answer> => {
    const all = parsed({ [name]: text });
    if ('fault' in all) return all;
    try {
      const [fault] = await look(all);
      return fault ? { fault } : { value: text };
    } catch (error) {
      if (!(error instanceof ForgeError)) throw error;
      if (error.status !== undefined && error.status < 500) return { fault: error.message };
      throw new UserError(`GitHub at ${all.GITHUB_API_URL} cannot be asked: ${error.message}`);
    }
  };
  return {
    token: async (text: string): Promise<Answer> => {
      if (text === '') return { value: '' };
      return check('GITHUB_TOKEN', text, async (all) => {
        await connectGitHub(all).ping();
        return [];
      });
    },
    repository: async (text: string): Promise<Answer> => {
      if (text === '') return { fault: 'GITHUB_REPO: say which repository builds run in, as OWNER/NAME' };
      return check(
        'GITHUB_REPO',
        text,
        async (all) => (await connectGitHub(all).repositoryFaults(all.GITHUB_REPO!)).faults,
      );
    },
    workflow: (text: string) =>
      check('GITHUB_WORKFLOW', text, (all) => connectGitHub(all).workflowFaults(all.GITHUB_REPO!, all.GITHUB_WORKFLOW)),
  };
}
