import pino from 'pino';
import { installTemporalRuntime } from '../../src/processes/temporal-runtime.ts';

// When this file is imported, which is once per process: files share processes, and the SDK takes one runtime in each.
installTemporalRuntime(pino({ level: 'silent' }));
