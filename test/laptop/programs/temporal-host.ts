/** Hosts the Temporal server of argv[2] in the directory argv[3] until killed; its address is the first line it prints. */
import { startTemporalServer } from '../../../src/laptop/temporal-server.ts';

const [cli = '', directory = ''] = process.argv.slice(2);
const server = await startTemporalServer({ cli, directory, uiPort: null });
console.log(server.address);
