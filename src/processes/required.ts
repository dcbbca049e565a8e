import { type Settings, SettingsError } from '../contracts/settings.ts';

/** Returns a setting that a process needs. @throws {SettingsError} if it is not set. */
export function required(settings: Settings, name: 'DATABASE_URL' | 'TEMPORAL_ADDRESS' | 'AMQP_URL'): string {
  const value = settings[name];
  if (value === undefined)
    throw new SettingsError(`${name}: this role needs it; \`hapax up\` runs everything embedded`);
  return value;
}
