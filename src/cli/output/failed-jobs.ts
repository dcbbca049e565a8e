import type { BuildView } from '../../contracts/builds/build.ts';
import { paint } from './screen.ts';

/** Why a run failed, as far as the record says: jobs with their pages, steps, annotations. */
export function failedJobLines({ failed_jobs }: BuildView): string[] {
  return failed_jobs.flatMap(({ name, conclusion, url, steps, annotations }) => [
    `  ${paint(`${name}: ${conclusion}`, 'bad')}${url ? `  ${url}` : ''}`,
    ...steps.map((step) => `    step ${step.number} ${step.name}: ${step.conclusion}`),
    ...annotations.map(
      ({ level, path, line, message }) => `    ${level} ${path}:${line}  ${message.replaceAll(/\s+/g, ' ')}`,
    ),
  ]);
}
