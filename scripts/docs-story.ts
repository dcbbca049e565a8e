/** What happened before the pictures of the console were taken: builds and tasks as an installation has them after some days. */
import { setTimeout as delay } from 'node:timers/promises';

/** An API of `hapax up`, and the simulated GitHub behind it. */
export class Story {
  readonly #url: string;
  #gitHub: string | undefined;

  constructor(url: string) {
    this.#url = url;
  }

  /** @throws where the API refuses. */
  async call<Body>(method: string, path: string, body?: object): Promise<Body> {
    return request<Body>(method, this.#url + path, body);
  }

  async trigger(body: object): Promise<number> {
    const { id } = await this.call<{ id: number }>('POST', '/builds/trigger', body);
    return id;
  }

  build(id: number): Promise<Build> {
    return this.call('GET', `/builds/${id}`);
  }

  async task(body: object): Promise<string> {
    const { task_id } = await this.call<{ task_id: string }>('POST', '/tasks', body);
    return task_id;
  }

  taskEnded(id: string): Promise<unknown> {
    return until(async () => (await this.call<{ completed_at: string | null }>('GET', `/tasks/${id}`)).completed_at);
  }

  buildEnded(id: number): Promise<unknown> {
    return until(async () => (await this.build(id)).completed_at);
  }

  /** Changes how the simulated GitHub behaves. A build must have had a run: its URL says where that is. */
  async gitHub(path: '/settings' | '/faults', body: object): Promise<void> {
    if (this.#gitHub === undefined) {
      const { builds } = await this.call<{ builds: Build[] }>('GET', '/builds');
      const run = builds.find(({ run_url }) => run_url !== null)?.run_url;
      this.#gitHub = new URL(run ?? '').origin;
    }
    await request(path === '/settings' ? 'PUT' : 'POST', `${this.#gitHub}/_simulator${path}`, body);
  }
}

interface Build {
  run_url: string | null;
  completed_at: string | null;
  needs_attention: boolean;
}

async function request<Body>(method: string, url: string, body?: object): Promise<Body> {
  const response = await fetch(url, {
    method,
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    body: body === undefined ? null : JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${text}`);
  return (text === '' ? undefined : JSON.parse(text)) as Body;
}

/** Asks until there is an answer. @throws after a minute. */
async function until<Answer>(ask: () => Promise<Answer | null | undefined | false>): Promise<Answer> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const answer = await ask();
    if (answer !== null && answer !== undefined && answer !== false) return answer;
    if (Date.now() > deadline) throw new Error(`it did not come to this: ${ask}`);
    await delay(100);
  }
}

/** What the pictures show in particular. */
export interface Shown {
  /** Of a build whose run failed in a step. */
  failed: number;
  /** Of a task that succeeded. */
  task: string;
  /** Of a configuration with several versions. */
  configuration: number;
}

const IMAGES = ['fedora-sway-atomic', 'fedora-silverblue', 'fedora-kinoite', 'fedora-coreos'];

/** Why a build of an image fails, as GitHub would say it. */
const FAILED_JOBS = [
  {
    name: 'build (x86_64)',
    conclusion: 'failure',
    steps: [
      { name: 'Set up job', conclusion: 'success' },
      { name: 'Pull the base image', conclusion: 'success' },
      { name: 'Install packages', conclusion: 'failure' },
      { name: 'Push the image', conclusion: 'skipped' },
    ],
    annotations: [
      {
        message: 'error: Package foot-terminfo-1.20.2 conflicts with foot-1.21.0',
        path: 'packages.yml',
        start_line: 41,
      },
      { message: 'Process completed with exit code 1.', path: '.github', start_line: 118 },
    ],
  },
  { name: 'build (aarch64)', conclusion: 'cancelled', steps: [], annotations: [] },
];

const VIDEOS = [
  ['dQw4w9WgXcQ', 'The moon pulls at the sea. Twice a day the water rises, and twice it falls.', 'tides'],
  ['aqz-KE-bpKQ', 'An image is built in layers. Each layer is cached by what went into it.', 'containers'],
  ['M7lc1UVf-VE', 'A queue forgets; a log remembers. To start again after a crash, read the log.', 'logs'],
] as const;

/** Lets it all happen; takes half a minute. Ends with builds that still run, wait for their turn, and wait for a person. */
export async function tell(story: Story): Promise<Shown> {
  const configuration = await configure(story);
  await buildsThatEnded(story);
  await story.gitHub('/settings', { jobs: FAILED_JOBS });
  const failed = await story.trigger({
    config: 'nightly',
    image_type: IMAGES[0],
    fedora_version: '43',
    inputs: wish('failure'),
  });
  await story.buildEnded(failed);
  await story.buildEnded(
    await story.trigger({ ref: 'packages/foot-1.21', image_type: IMAGES[2], inputs: wish('failure') }),
  );
  const task = await tasks(story);
  await deadLetter(story);
  await doubtfulBuild(story);
  await buildsInFlight(story);
  return { failed, task, configuration };
}

/** A wish that the simulated GitHub grants. */
const wish = (simulate: string) => ({ simulate });

/** Two configurations; the first one has three versions. */
async function configure(story: Story): Promise<number> {
  const nightly = {
    repository: 'octocat/fedora-images',
    workflow: 'build.yml',
    concurrency: 'queue',
    constants: { registry: 'ghcr.io/octocat' },
    mapping: { fedora_version: 'distro_version' },
    templates: { image_name: 'fedora-{{fedora_version}}-{{image_type}}' },
  };
  const { id } = await story.call<{ id: number }>('PUT', '/configs/by-name/nightly', { ...nightly, deadline: '3h' });
  await story.call('PUT', '/configs/by-name/nightly', { ...nightly, deadline: '90m' });
  await story.call('PUT', '/configs/by-name/nightly', { ...nightly, deadline: '90m', inputs: { push: true } });
  await story.call('PUT', '/configs/by-name/toolbox', { repository: 'octocat/toolbox', workflow: 'image.yml' });
  return id;
}

async function buildsThatEnded(story: Story): Promise<void> {
  const ids = [];
  for (const ref of ['main', 'stable', 'f43', 'f42']) {
    for (const image_type of IMAGES.slice(0, ref === 'main' ? 4 : 2)) {
      ids.push(await story.trigger({ ref, image_type, fedora_version: ref === 'f42' ? '42' : '43' }));
    }
  }
  ids.push(await story.trigger({ config: 'toolbox', ref: 'v2', image_type: 'toolbox', inputs: wish('flaky') }));
  const [cancelled = 0] = ids.splice(5, 1);
  await story.call('POST', `/builds/${cancelled}/cancel`, {});
  for (const id of [...ids, cancelled]) await story.buildEnded(id);
  const flaky = ids.at(-1);
  await story.call('POST', `/builds/${flaky}/retry`, { mode: 'rerun_failed' });
}

/** Videos and what was done with them, one task that fails, and one that waits. @returns the id of one that succeeded. */
async function tasks(story: Story): Promise<string> {
  let last = '';
  for (const [video, transcript_text, tag] of VIDEOS) {
    const kwargs = { url: `https://youtu.be/${video}`, transcript_text, tags: [tag] };
    await story.taskEnded(await story.task({ name: 'ingest_youtube', kwargs }));
    last = await story.task({ name: 'process_content', args: [`yt:${video}`, ['embed']] });
    await story.taskEnded(last);
  }
  await story.taskEnded(await story.task({ name: 'semantic_search', args: ['why are there tides'] }));
  // There is no Ollama here, so this one cannot succeed.
  await story.taskEnded(await story.task({ name: 'process_content', args: ['yt:dQw4w9WgXcQ', ['summarize']] }));
  const eta = new Date(Date.now() + 8 * 3_600_000).toISOString();
  await story.task({ name: 'semantic_search', args: ['new releases'], eta, task_id: 'morning-search' });
  return last;
}

/** A build that GitHub refuses. */
async function deadLetter(story: Story): Promise<void> {
  const message = "Unexpected inputs provided: ['fedora_version']";
  await story.gitHub('/faults', { on: 'dispatch', kind: 'reject-with-422', message });
  await story.buildEnded(await story.trigger({ ref: 'f41', image_type: IMAGES[1], fedora_version: '41' }));
}

/** A build whose response is lost, in a repository whose runs do not show whose they are. */
async function doubtfulBuild(story: Story): Promise<void> {
  await story.gitHub('/settings', { echoes_correlation: false });
  await story.gitHub('/faults', { on: 'dispatch', kind: 'accept-then-502' });
  const id = await story.trigger({ ref: 'rawhide', image_type: IMAGES[0], fedora_version: '44' });
  await until(async () => (await story.build(id)).needs_attention);
  await story.gitHub('/settings', { echoes_correlation: true });
}

/** Builds that run until everything is stopped, and two that wait for one of them. */
async function buildsInFlight(story: Story): Promise<void> {
  const running = [await story.trigger({ ref: 'main', image_type: 'fedora-iot', inputs: wish('stuck') })];
  for (const image_type of IMAGES.slice(1)) {
    running.push(await story.trigger({ config: 'nightly', image_type, fedora_version: '43', inputs: wish('stuck') }));
  }
  await until(async () => (await story.build(running[1] ?? 0)).run_url !== null);
}
