import type { Scenario } from '../scenario.ts';
import { fileScenarios } from './cache-artifacts.ts';
import { outputScenarios } from './output.ts';
import { rareScriptScenarios } from './rare-scripts.ts';
import { scriptScenarios } from './scripts.ts';
import { settingScenarios } from './settings.ts';
import { sourceScenarios } from './sources.ts';
import { stopScenarios } from './stops.ts';
import { variableScenarios } from './variables.ts';

/** All scenarios, by topic. Those that wait come first: others run beside them. */
export const topics: Readonly<Record<string, readonly Scenario[]>> = {
  stops: stopScenarios,
  scripts: scriptScenarios,
  'rare-scripts': rareScriptScenarios,
  output: outputScenarios,
  variables: variableScenarios,
  settings: settingScenarios,
  sources: sourceScenarios,
  'cache-artifacts': fileScenarios,
};

export const scenarios: readonly Scenario[] = Object.values(topics).flat();
