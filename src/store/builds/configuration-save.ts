import type { BuildConfiguration } from '../../contracts/builds/configuration.ts';
import { canonicalJson, sha256 } from '../../domain/record/hash.ts';
import { type Db, inTransaction } from '../database.ts';
import { claimRequestKey } from '../request-key-claim.ts';
import { findRequestKey } from '../request-key-find.ts';
import { findConfiguration, findConfigurationByName } from './configuration-find.ts';
import { configurationFromRow } from './configuration-row.ts';

/** Any fixed number. Writers of configurations take turns, so that names stay unique and versions have no gaps. */
const CONFIGURATION_LOCK = 4_841_059;

/** The prefix of the id, in the name of what a key made. */
const MADE = 'config:';

/**
 * The configuration to save. `new`, or a name that no configuration has, creates one. An id creates one only if it is
 * reserved, so that no other configuration can get it.
 */
export type ConfigurationTarget = { id: number; reserved?: true } | { name: string } | 'new';

/** The new content of a configuration. Omitted fields stay as they were. */
export interface ConfigurationChange {
  name?: string;
  definition?: BuildConfiguration['definition'];
  retired: boolean;
  changed_by: string;
}

export type ConfigurationSaved =
  | { kind: 'saved'; configuration: BuildConfiguration; created: boolean; replayed?: true }
  /** The Idempotency-Key was used with other content, which made this configuration. */
  | { kind: 'key_reused'; made: string }
  /** No configuration has this id. */
  | { kind: 'missing' }
  /** The writer did not expect the present version; undefined if there is none. */
  | { kind: 'unexpected'; version: number | undefined }
  /** Another configuration has this name. */
  | { kind: 'name_taken'; id: number };

/**
 * Saves a change as the newest version of a configuration. A change that alters nothing makes no version.
 * @param expects says whether the writer accepts this present version.
 * @param key the Idempotency-Key of the request. A repeat makes nothing new.
 */
export function saveConfiguration(
  db: Db,
  target: ConfigurationTarget,
  change: ConfigurationChange,
  expects: (version: number | undefined) => boolean = () => true,
  key?: string,
): Promise<ConfigurationSaved> {
  return inTransaction(db, async (tx) => {
    await tx`SELECT pg_advisory_xact_lock(${CONFIGURATION_LOCK})`;
    const print = sha256(canonicalJson(change));
    const earlier = key === undefined ? undefined : await findRequestKey(tx, key);
    if (earlier) {
      const made = await findConfiguration(tx, Number(earlier.made.slice(MADE.length)));
      if (earlier.fingerprint !== print || !made) return { kind: 'key_reused', made: earlier.made };
      return { kind: 'saved', configuration: made, created: false, replayed: true };
    }
    const present = await presentOf(tx, target);
    const { name, definition } = { ...present, ...change };
    const id = present?.id ?? (target !== 'new' && 'id' in target ? target.id : undefined);
    const mayMake = target === 'new' || 'name' in target || target.reserved;
    if (name === undefined || definition === undefined || (!present && !mayMake)) return { kind: 'missing' };
    if (!expects(present?.version)) return { kind: 'unexpected', version: present?.version };
    const holder = await findConfigurationByName(tx, name);
    if (holder && holder.id !== id) return { kind: 'name_taken', id: holder.id };
    if (present && contentOf(present) === contentOf({ name, definition, retired: change.retired })) {
      return { kind: 'saved', configuration: present, created: false };
    }
    const row = {
      id: id ?? (await takeId(tx)),
      version: (present?.version ?? 0) + 1,
      name,
      definition,
      retired: change.retired,
      changed_by: change.changed_by,
      created_at: new Date().toISOString(),
    };
    await tx`INSERT INTO configurations ${tx({ ...row, definition: JSON.stringify(definition) })}`;
    if (key !== undefined) await claimRequestKey(tx, key, { fingerprint: print, made: `${MADE}${row.id}` });
    return { kind: 'saved', configuration: configurationFromRow(row), created: present === undefined };
  });
}

async function presentOf(tx: Db, target: ConfigurationTarget): Promise<BuildConfiguration | undefined> {
  if (target === 'new') return undefined;
  return 'id' in target ? findConfiguration(tx, target.id) : findConfigurationByName(tx, target.name);
}

async function takeId(tx: Db): Promise<number> {
  const [row] = await tx<Array<{ id: number }>>`SELECT nextval('configuration_ids') AS id`;
  return row!.id;
}

function contentOf({ name, definition, retired }: Pick<BuildConfiguration, 'name' | 'definition' | 'retired'>): string {
  return canonicalJson({ name, definition, retired });
}
