import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { LOCK_FILE, type Lock, missingOptional, withoutIntegrity } from '../../scripts/complete-lock.ts';

describe('package-lock.json', () => {
  const lock = JSON.parse(readFileSync(LOCK_FILE, 'utf8')) as Lock;

  it('names the optional packages of every platform, or `npm ci` refuses it; if not, run `node scripts/complete-lock.ts`', () => {
    expect(missingOptional(lock).map(({ name }) => name)).toEqual([]);
  });

  it('would be refused without one of them', () => {
    const { 'node_modules/@swc/core-darwin-arm64': _, ...others } = lock.packages;
    expect(missingOptional({ packages: others }).map(({ name }) => name)).toEqual(['@swc/core-darwin-arm64']);
  });

  it('has the digest of every package; if not, run `node scripts/complete-lock.ts`', () => {
    expect(withoutIntegrity(lock)).toEqual([]);
    const { integrity: _, ...bare } = { ...lock.packages['node_modules/hono'] };
    for (const weakened of [
      bare,
      { ...bare, integrity: '' },
      { ...bare, integrity: 'sha1-Kwg0hNqLmnmlyTEGDu7CWmB3ANM=' },
    ])
      expect(withoutIntegrity({ packages: { 'node_modules/hono': weakened } })).toEqual(['node_modules/hono']);
  });
});
