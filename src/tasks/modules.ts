import { readdirSync } from 'node:fs';
import { createRequire, registerHooks } from 'node:module';
import { extname, join, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { LIMITS } from '../contracts/budgets.ts';
import { type DefinedTask, isDefinedTask } from '../domain/tasks/define-task.ts';

/** The modules that tasks import from us. In the published package these files are JavaScript. */
const OURS: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries({ 'hapax/tasks': 'index', 'hapax/tasks/testing': 'testing' }).map(([specifier, file]) => [
    specifier,
    new URL(`./${file}${extname(import.meta.url)}`, import.meta.url).href,
  ]),
);

/** The URL parameter that counts how often a folder was loaded, so that Node reads the file again. */
const GENERATION = 'hapax';

const MODULE = /^(?!.*\.(?:test|spec|d)\.)[^.].*\.[cm]?[jt]s$/;

/** The CommonJS modules that Node has loaded, by path. */
const { cache: loaded } = createRequire(import.meta.url);

let resolves = false;

/** Lets modules import `hapax/tasks` from any folder. When a module of tasks is read again, so are its own imports. */
function letThemResolve(): void {
  if (resolves) return;
  resolves = true;
  registerHooks({
    resolve(specifier, context, next) {
      const ours = OURS[specifier];
      if (ours) return { url: ours, shortCircuit: true };
      const resolved = next(specifier, context);
      const generation = context.parentURL && URL.parse(context.parentURL)?.searchParams.get(GENERATION);
      const isTheirs = resolved.url.startsWith('file:') && !resolved.url.includes('/node_modules/');
      if (!generation || !isTheirs || /^\w/.test(specifier)) return resolved;
      return { ...resolved, url: marked(resolved.url, generation) };
    },
  });
}

function marked(url: string, generation: string): string {
  const fresh = new URL(url);
  fresh.searchParams.set(GENERATION, generation);
  return fresh.href;
}

/** The tasks of a folder, and the faults of its modules, one line each. */
export interface LoadedTasks {
  tasks: DefinedTask[];
  faults: string[];
}

/** Loads the modules of a folder. Each file exports tasks; subfolders hold the code that they share. */
export class TaskModules {
  readonly #directory: string;
  readonly #longestMs: number;
  #generation = 0;
  /** The tasks that each file last exported without a fault. */
  #good = new Map<string, DefinedTask[]>();

  /** @param longestMs how long a module may take to load, such as by a top-level await. */
  constructor(directory: string, longestMs = 10_000) {
    this.#directory = directory;
    this.#longestMs = longestMs;
  }

  /**
   * Reads all files, changed or not. A file with a fault keeps the tasks that it exported before.
   * @throws if the folder cannot be read.
   */
  async load(): Promise<LoadedTasks> {
    letThemResolve();
    const generation = String(++this.#generation);
    // Node reads an ES module again for each URL, and a CommonJS module for each path.
    for (const path of Object.keys(loaded)) {
      if (path.startsWith(this.#directory + sep) && !path.includes(`${sep}node_modules${sep}`)) delete loaded[path];
    }
    const files = readdirSync(this.#directory, { withFileTypes: true })
      .filter((entry) => !entry.isDirectory() && MODULE.test(entry.name))
      .map(({ name }) => name)
      .sort();
    const most = LIMITS.taskTypes.modules;
    if (files.length > most) throw new Error(`${this.#directory} has more than ${most} modules`);
    const faults: string[] = [];
    const good = new Map<string, DefinedTask[]>();
    for (const file of files) {
      const path = join(this.#directory, file);
      try {
        good.set(file, await within(this.#longestMs, tasksOf(marked(pathToFileURL(path).href, generation))));
      } catch (error) {
        faults.push(...linesOf(error).map((line) => `${file}: ${line}`));
        const before = this.#good.get(file);
        if (before) good.set(file, before);
      }
    }
    this.#good = good;
    const tasks = [...good.values()].flat();
    const twice = [...good].flatMap(([file, own]) =>
      own.filter((task) => tasks.find(({ name }) => name === task.name) !== task).map(({ name }) => ({ file, name })),
    );
    faults.push(...twice.map(({ file, name }) => `${file}: there is another task ${name}`));
    return { tasks: tasks.filter((task) => tasks.find(({ name }) => name === task.name) === task), faults };
  }
}

/** Returns what the loading of a module gives. @throws if it takes longer than this. */
async function within(longestMs: number, loading: Promise<DefinedTask[]>): Promise<DefinedTask[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`still loading after ${longestMs / 1_000} s (a top-level await?)`);
    timer = setTimeout(reject, longestMs, error);
  });
  return Promise.race([loading, late]).finally(() => clearTimeout(timer));
}

async function tasksOf(url: string): Promise<DefinedTask[]> {
  const exported = Object.values((await import(url)) as Record<string, unknown>);
  const tasks = [...new Set(exported.filter(isDefinedTask))];
  if (tasks.length === 0) throw new Error('exports no task; export what defineTask returns, or move it into a folder');
  return tasks;
}

/** Returns the error in lines for a person, with the place in the file if Node gives one. */
function linesOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [String(error)];
  if (error instanceof TypeError && error.message.includes(': ')) return error.message.split('\n');
  const { stack = '', message } = error;
  // For a syntax error, Node puts file and line first.
  const [, line] = /^file:.*?:(\d+)(?:\n|$)/.exec(stack) ?? [];
  return [`${line ? `line ${line}: ` : ''}${message.split('\n')[0]}`.replaceAll(/file:\/\/\S+/g, shown)];
}

function shown(url: string): string {
  const path = URL.parse(url.replace(/['",)]+$/, ''));
  return path?.protocol === 'file:' ? fileURLToPath(new URL(path.pathname, 'file:')) : url;
}
