/**
 * The coordinator that hands the jobs out, in a process of its own, so that it neither shares an event loop with what
 * measures nor with what is measured. Started by the bench: `node bench/coordinator.ts FOLDER`. Ends with its parent.
 */
import { startCoordinator } from '../src/coordinator/start.ts';

const gibibyte = 1024 * 1024 * 1024;

const [dataDir = ''] = process.argv.slice(2);
// 100 MB of output with timestamps is more than a trace may have by default.
const coordinator = await startCoordinator({ dataDir, maxTraceBytes: gibibyte });
process.on('disconnect', () => void coordinator.close());
process.send?.({ url: coordinator.url, adminToken: coordinator.adminToken });
