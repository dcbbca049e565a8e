import { type Command, InvalidArgumentError } from 'commander';
import { EXIT, type Exit } from '../failure.ts';
import { Api } from './api.ts';
import { findTarget, type TargetOptions } from './target.ts';

/** The context of a command for people. */
export interface Context<Options> {
  api: Api;
  /** Whether it prints JSON, for programs. */
  json: boolean;
  options: Options;
}

type Run<Options> = (context: Context<Options>, ...args: string[]) => Promise<Exit | undefined> | Promise<void>;

/** Gives a command the options that all commands for people have, and the function that runs it. */
export function runsWith<Options>(command: Command, run: Run<Options>): void {
  command
    .option('--json', 'print JSON, for programs')
    .option('--url <url>', 'address of Hapax')
    .option('--profile <name>', 'profile with address and key')
    .action(async (...given: unknown[]) => {
      const options = command.opts<Options & TargetOptions & { json?: boolean }>();
      const args = given.slice(0, command.registeredArguments.length) as string[];
      const api = new Api(findTarget(options, process.env));
      process.exitCode = (await run({ api, json: options.json ?? false, options }, ...args)) ?? EXIT.success;
    });
}

/** Reads a whole number from 1. */
export function positive(text: string): number {
  if (!/^[1-9]\d{0,15}$/.test(text)) throw new InvalidArgumentError('It is a whole number from 1.');
  return Number(text);
}

/** Reads an option that may be repeated. */
export const collect = (text: string, before: string[] = []): string[] => [...before, text];

/** Reads a time such as `90s`, `10m`, `2h` or `7d` in milliseconds. A number alone is in seconds. */
export function durationMs(text: string): number {
  const ms = spanOf(/^\d+$/.test(text) ? `${text}s` : text);
  if (ms === undefined) throw new InvalidArgumentError('It is a time such as 90s, 10m or 2h.');
  return ms;
}

/** Reads an instant: ISO 8601, or how long ago, such as `2h` or `7d`. Returns ISO 8601. */
export function instant(text: string): string {
  const ago = spanOf(text);
  return ago === undefined ? absolute(text, 'ago') : new Date(Date.now() - ago).toISOString();
}

/** Reads an instant to come: ISO 8601, or how long after the command, such as `10m`. Returns ISO 8601 by when the command was given. */
export function later(text: string): (given: Date) => string {
  const after = spanOf(text);
  if (after !== undefined) return (given) => new Date(given.getTime() + after).toISOString();
  const at = absolute(text, 'from now');
  return () => at;
}

function spanOf(text: string): number | undefined {
  const [, number, unit] = /^(\d{1,6})(s|m|h|d)$/.exec(text) ?? [];
  if (number === undefined) return undefined;
  return Number(number) * { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[unit as 's' | 'm' | 'h' | 'd'];
}

const ISO_8601 = /^(\d{4}-\d\d-\d\d)([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/;

function absolute(text: string, direction: string): string {
  const day = ISO_8601.exec(text)?.[1];
  const at = new Date(text);
  // `Date` also reads `10` as October 2001, and February 30 as March 2.
  if (day === undefined || !isDay(day) || Number.isNaN(at.getTime()))
    throw new InvalidArgumentError(`It is a time such as 2026-11-21T10:00:00Z or 2h (${direction}).`);
  return at.toISOString();
}

function isDay(day: string): boolean {
  const at = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(day);
}
