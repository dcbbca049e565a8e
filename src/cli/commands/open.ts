import { spawn } from 'node:child_process';
import type { Command } from 'commander';
import type { BuildView } from '../../contracts/builds/build.ts';
import { positive, runsWith } from '../client/command.ts';
import { EXIT, Failure, misuse } from '../failure.ts';
import { note, print, printJson } from '../output/screen.ts';

export function define(command: Command): void {
  command
    .argument('[build]', 'id of the build; without one, the start page of Hapax')
    .option('--run', 'the page of its run at GitHub')
    .option('-p, --print', 'only print the address');
  runsWith<{ run?: boolean; print?: boolean }>(command, async ({ api, json, options }, id?: string) => {
    const build = id === undefined ? undefined : await api.json<BuildView>(`/builds/${positive(id)}`);
    if (options.run && !build) throw misuse('--run is about a build', 'name one');
    const url = options.run ? runOf(build!) : api.href(build ? `/console/builds/${build.id}` : '/');
    if (json) return printJson({ url });
    if (options.print || !process.stdout.isTTY) return print(url);
    note(`opening ${url}`);
    openPage(url);
  });
}

/** Returns the page of the run at GitHub. @throws {Failure} if there is no run yet. */
function runOf({ id, run_url }: BuildView): string {
  // The URL comes from GitHub by way of the record, and a browser would open other schemes too.
  if (run_url && /^https?:$/.test(URL.parse(run_url)?.protocol ?? '')) return run_url;
  throw new Failure(EXIT.usage, {
    code: 'no_run',
    title: `Build ${id} has no run yet`,
    detail: `see hapax show ${id}`,
  });
}

function openPage(url: string): void {
  const [command, ...args] =
    process.env.BROWSER && !process.env.BROWSER.includes('%')
      ? [process.env.BROWSER]
      : process.platform === 'darwin'
        ? ['open']
        : process.platform === 'win32'
          ? ['explorer.exe']
          : ['xdg-open'];
  const child = spawn(command!, [...args, url], { stdio: 'ignore', detached: true });
  child.once('error', () => print(url));
  child.unref();
}
