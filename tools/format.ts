// `npm run format`
import { run } from './run.ts';

process.exitCode = run('biome', ['check', '--write', '.']);
