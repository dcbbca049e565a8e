import { createLog } from '../../../src/processes/log.ts';

const log = createLog('info', 'test');
log.info('one line');
setTimeout(() => {
  log.info('another line');
  console.error('works on');
}, 10);
