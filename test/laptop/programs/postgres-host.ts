/** Hosts the database in argv[2] until killed; the port is the first line it prints. */
import { startEmbeddedPostgres } from '../../../src/laptop/embedded-postgres.ts';

const db = await startEmbeddedPostgres({ directory: process.argv[2] ?? '' });
console.log(db.url);
