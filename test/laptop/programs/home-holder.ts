/** Holds the home argv[2] until killed; prints a line when it does. */
import { openHome } from '../../../src/laptop/home.ts';

openHome(process.argv[2] ?? '').announce({ url: 'http://127.0.0.1:8123' });
console.log('held');
setInterval(() => undefined, 60_000);
