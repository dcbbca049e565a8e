// Runs n8n's scanner (its linter, with the rules of `n8n-node lint`) over the source, and over what is published: build first.
import { analyzePackage, SOURCE_FILE_PATTERNS } from '@n8n/scan-community-package/scanner/scanner.mjs';

for (const patterns of [SOURCE_FILE_PATTERNS, ['package.json', 'dist/**/*.js']]) {
  const { passed, message, details = '' } = await analyzePackage(import.meta.dirname, patterns);
  if (passed) continue;
  console.error(message, details);
  process.exitCode = 1;
}
