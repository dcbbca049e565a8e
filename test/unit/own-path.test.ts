import { expect, it } from 'vitest';
import { ownPath } from '../../src/console/flash.ts';

it.each([
  'builds',
  'builds/12',
  'workers/25307%40vm',
  'content/yt%3AdQw4w9WgXcQ',
  'tasks?q=%2F%2Fx&name=a:b',
  'builds?q=https://a..b',
  'dlq/message:1',
])('leads back to %s', (path) => expect(ownPath(path)).toBe(path));

it.each([
  '//evil.example',
  'https://evil.example',
  '/builds',
  '..',
  'builds/../../x',
  'builds/%2e%2E/x',
  'a\\b',
  'a b',
  '',
])('leads to the overview in place of %j', (path) => expect(ownPath(path)).toBe(''));
