import { startCoordinator } from '../../../src/coordinator/start.ts';

/** A coordinator in a process of its own, so that a test can kill it. Arguments: data folder, port. */
const [dataDir = '', port = '0'] = process.argv.slice(2);
const coordinator = await startCoordinator({ dataDir, listen: { port: Number(port) }, longPollSeconds: 0 });
process.stdout.write(`${coordinator.url}\n`);
