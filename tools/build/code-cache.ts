// Run by the build in a Node of its own, whose settings are those of the executable: `node code-cache.ts BUNDLE OUTPUT`.
// V8 compiles a function when it is first called, and a code cache holds the functions that were compiled. So the
// program runs a pipeline before its cache is made: otherwise every start would compile again what every start needs.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Script } from 'node:vm';
import type { runCommandLine } from '../../src/commands/command-line.ts';
import { programScriptOptions, programScriptText } from './program-script.ts';
import { runSamplePipeline } from './sample-pipeline.ts';

interface Program {
  readonly runCommandLine: typeof runCommandLine;
}

type ModuleFunction = (load: NodeJS.Require, module: object, exports: object) => void;

const [bundle, output] = process.argv.slice(2);
if (bundle === undefined || output === undefined) throw new Error('a bundle and an output are needed');
const script = new Script(programScriptText(readFileSync(bundle, 'utf8')), programScriptOptions);
const module = { exports: {} };
const moduleFunction = script.runInThisContext() as ModuleFunction;
moduleFunction(createRequire(import.meta.url), module, module.exports);
const problem = await runSamplePipeline((module.exports as Program).runCommandLine);
if (problem !== undefined) {
  process.stderr.write(`The code cache lacks what a pipeline needs, so its start is slower: ${problem}\n`);
}
writeFileSync(output, script.createCachedData());
