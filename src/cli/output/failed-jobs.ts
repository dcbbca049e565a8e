import type { BuildView } from '../../contracts/builds/build.ts';
import { inOneLine, paint } from './screen.ts';

/** Returns why a run failed, according to the record: jobs with their pages, steps and annotations. */
export function failedJobLines({ failed_jobs }: BuildView): string[] {
  return failed_jobs.flatMap(({ name, conclusion, url, steps, annotations }) => [
    `  ${paint(`${name}: ${conclusion}`, 'bad')}${url ? `  ${url}` : ''}`,
    ...steps.map((step) => `    step ${step.number} ${step.name}: ${step.conclusion}`),
    ...annotations.map(({ level, path, line, message }) => `    ${level} ${path}:${line}  ${inOneLine(message)}`),
  ]);
}
