import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { buildsConcurrently } from '../../src/store/migrate.ts';

const FOLDER = fileURLToPath(new URL('../../src/store/migrations', import.meta.url));
/** The rules came after this one. */
const LAST_BEFORE_RULES = '0031_task_steps.sql';
/** Migrations that may break a rule, and why: for example, since two releases nothing reads the column. */
const MAY: Record<string, string> = {
  '0034_quick_hash_checks.sql': 'it drops checks, and adds the same in a form that takes less time',
};

/** Each statement breaks the version before, which still serves, or holds up its queries. */
const RULES: ReadonlyArray<[fault: string, pattern: RegExp]> = [
  ['drops what the version before uses', /\bDROP (?!INDEX CONCURRENTLY|NOT NULL|EXPRESSION)/],
  ['renames what the version before uses', /\bRENAME\b/],
  ['rewrites the table', /\bALTER (COLUMN )?\S+ (SET DATA )?TYPE\b/],
  [
    'rewrites the table',
    /\bADD (COLUMN )?.*\b(DEFAULT (GEN_RANDOM_UUID|RANDOM|CLOCK_TIMESTAMP|NEXTVAL)\b|GENERATED\b|(BIG)?SERIAL\b)/,
  ],
  ['refuses rows of the version before', /\bSET NOT NULL\b/],
  [
    'refuses rows of the version before',
    /\bADD (COLUMN )?(?!CONSTRAINT)(?:(?!\bDEFAULT\b).)*\bNOT NULL(?!.*\bDEFAULT\b)/,
  ],
  ['checks all rows under a lock', /\bADD (CONSTRAINT|CHECK|FOREIGN KEY)\b(?!.*\b(NOT VALID|USING INDEX)\b)/],
  [
    'checks all rows under a lock',
    /\bADD (COLUMN )?(?!CONSTRAINT).*\b(UNIQUE|PRIMARY KEY|REFERENCES|CHECK)\b(?!.*\b(NOT VALID|USING INDEX)\b)/,
  ],
  ['blocks writes while it builds an index', /\bCREATE (UNIQUE )?INDEX (?!CONCURRENTLY)/],
  ['blocks all while it builds an index', /\bREINDEX (?!.*CONCURRENTLY)|\bCLUSTER\b|\bVACUUM FULL\b/],
  ['changes many rows in one transaction', /^(WITH\b.*)?(UPDATE|DELETE FROM|TRUNCATE|LOCK)\b/],
  ['takes a right away', /^REVOKE\b/],
];

/** Statements in upper case, on one line each, without comments; bodies of functions are left out. */
function statementsOf(text: string): string[] {
  return text
    .replaceAll(/--.*$/gm, '')
    .replaceAll(/\$(\w*)\$[\s\S]*?\$\1\$/g, "'BODY'")
    .split(';')
    .map((statement) => statement.replaceAll(/\s+/g, ' ').trim().toUpperCase())
    .filter((statement) => statement !== '');
}

/** The table that a statement changes. */
function tableOf(statement: string): string {
  const onTable =
    /^(?:ALTER TABLE|CREATE TABLE|UPDATE|DELETE FROM|TRUNCATE)(?: IF (?:NOT )?EXISTS)?(?: ONLY)? ([\w.]+)/;
  const onIndex = /^CREATE (?:UNIQUE )?INDEX .*?\bON (?:ONLY )?([\w.]+)/;
  return (onTable.exec(statement) ?? onIndex.exec(statement))?.[1] ?? '';
}

/** What the rules find wrong with a migration. What it makes itself, nobody else uses yet. */
function faultsOf(text: string): string[] {
  const statements = statementsOf(text);
  const own = new Set(statements.filter((one) => one.startsWith('CREATE TABLE')).map(tableOf));
  const faults = statements
    .filter((statement) => !own.has(tableOf(statement)))
    .flatMap((statement) =>
      RULES.filter(([, pattern]) => pattern.test(statement)).map(([fault]) => `${statement.slice(0, 60)}: ${fault}`),
    );
  if (!buildsConcurrently(text)) return faults;
  // Not in a transaction: a run that was cut off leaves an index that is not valid, and another run has to replace it.
  statements.forEach((statement, index) => {
    const [, made] = /^CREATE (?:UNIQUE )?INDEX CONCURRENTLY (\S+)/.exec(statement) ?? [];
    const dropped = /^DROP INDEX CONCURRENTLY IF EXISTS (\S+)$/.test(statement);
    if (!made && !dropped) faults.push(`${statement.slice(0, 60)}: is not alone with its index`);
    if (made && statements[index - 1] !== `DROP INDEX CONCURRENTLY IF EXISTS ${made}`)
      faults.push(`${statement.slice(0, 60)}: does not drop what a run before left`);
  });
  return faults;
}

describe('migrations', () => {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.sql'));

  it('run while the version before serves, and hold up none of its queries', () => {
    const ruled = files.filter((name) => name > LAST_BEFORE_RULES && !(name in MAY));
    const faults = ruled.map((name) => [name, faultsOf(readFileSync(join(FOLDER, name), 'utf8'))]);
    expect(faults.filter(([, found]) => found!.length > 0)).toEqual([]);
    for (const name of Object.keys(MAY)) expect(files).toContain(name);
  });

  it('have a number each', () => {
    const numbers = files.map((name) => name.slice(0, 4));
    expect(new Set(numbers).size).toBe(files.length);
    for (const name of files) expect(name).toMatch(/^\d{4}_[a-z_]+\.sql$/);
  });

  it.each([
    'ALTER TABLE builds DROP COLUMN lane',
    'DROP TABLE owed',
    'DROP INDEX builds_open',
    'ALTER TABLE builds ALTER COLUMN lane DROP DEFAULT',
    'ALTER TABLE builds RENAME COLUMN lane TO road',
    'ALTER TABLE builds ALTER COLUMN lane TYPE varchar(10)',
    'ALTER TABLE builds ALTER COLUMN lane SET NOT NULL',
    'ALTER TABLE builds ADD COLUMN a text NOT NULL',
    'ALTER TABLE builds ADD a text NOT NULL',
    'ALTER TABLE builds ADD COLUMN a uuid DEFAULT gen_random_uuid()',
    'ALTER TABLE builds ADD COLUMN a bigserial',
    "ALTER TABLE builds ADD COLUMN a text GENERATED ALWAYS AS (lane || 'x') STORED",
    'ALTER TABLE builds ADD CONSTRAINT short CHECK (length(lane) < 10)',
    'ALTER TABLE builds ADD COLUMN a bigint REFERENCES events',
    'ALTER TABLE builds ADD UNIQUE (lane)',
    'CREATE INDEX builds_x ON builds (lane)',
    'CREATE UNIQUE INDEX builds_x ON builds (lane)',
    'UPDATE builds SET lane = NULL',
    'DELETE FROM owed',
    'TRUNCATE owed',
    'LOCK TABLE builds',
    'REVOKE SELECT ON builds FROM hapax_runtime',
    'CREATE INDEX CONCURRENTLY builds_x ON builds (lane)',
    'CREATE TABLE a (id bigint); DROP INDEX CONCURRENTLY IF EXISTS b; CREATE INDEX CONCURRENTLY b ON builds (lane)',
  ])('may not: %s', (text) => {
    expect(faultsOf(text)).not.toEqual([]);
  });

  it.each([
    'ALTER TABLE builds ADD COLUMN a text, ADD COLUMN b integer NOT NULL DEFAULT 0',
    'ALTER TABLE builds ADD COLUMN a boolean DEFAULT true NOT NULL',
    'ALTER TABLE builds ALTER COLUMN lane DROP NOT NULL',
    'ALTER TABLE builds ADD CONSTRAINT short CHECK (length(lane) < 10) NOT VALID',
    'ALTER TABLE builds VALIDATE CONSTRAINT short',
    'CREATE TABLE a (id bigint PRIMARY KEY, b bigint NOT NULL REFERENCES events); CREATE INDEX a_b ON a (b)',
    'DROP INDEX CONCURRENTLY IF EXISTS builds_x; CREATE INDEX CONCURRENTLY builds_x ON builds (lane)',
    'DO $$ BEGIN GRANT SELECT ON a TO hapax_runtime; END $$',
    '-- DROP TABLE builds\nCREATE OR REPLACE FUNCTION f() RETURNS integer LANGUAGE sql AS $$ SELECT 1 $$',
  ])('may: %s', (text) => {
    expect(faultsOf(text)).toEqual([]);
  });
});
