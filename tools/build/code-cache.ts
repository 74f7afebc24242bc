// Run by the build in a Node of its own, whose settings are those of the executable: `node code-cache.ts BUNDLE OUTPUT`.
import { readFileSync, writeFileSync } from 'node:fs';
import { Script } from 'node:vm';
import { programScriptOptions, programScriptText } from './program-script.ts';

const [bundle, output] = process.argv.slice(2);
if (bundle === undefined || output === undefined) throw new Error('a bundle and an output are needed');
const script = new Script(programScriptText(readFileSync(bundle, 'utf8')), programScriptOptions);
writeFileSync(output, script.createCachedData());
