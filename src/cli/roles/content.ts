import type { Command } from 'commander';
import { runsProcess } from '../roles.ts';

export function define(command: Command): void {
  runsProcess<{ to: string }>(
    command
      .command('move')
      .description('copy content to another place, and verify it')
      .requiredOption('--to <place>', 'postgres, surrealdb, s3 or directory'),
    async ({ to }) => (await import('../../processes/content-move.ts')).moveContent(to, process.env),
    `  postgres, surrealdb  text, embeddings and summaries, from where CONTENT_STORE has them
  s3, directory        original documents: to S3_BUCKET from HAPAX_HOME/blobs, or back`,
    `Stop Hapax first. What is there already is not copied again, so a move that was stopped can be run again. Nothing is removed.
docs/content.md says more.`,
  );
}
