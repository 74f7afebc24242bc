import type { Scenario } from '../scenario.ts';
import { fileScenarios } from './cache-artifacts.ts';
import { outputScenarios } from './output.ts';
import { rareScriptScenarios } from './rare-scripts.ts';
import { scriptScenarios } from './scripts.ts';
import { settingScenarios } from './settings.ts';
import { sourceScenarios } from './sources.ts';
import { stopScenarios } from './stops.ts';
import { variableScenarios } from './variables.ts';

export const scenarios: readonly Scenario[] = [
  ...stopScenarios,
  ...scriptScenarios,
  ...rareScriptScenarios,
  ...outputScenarios,
  ...variableScenarios,
  ...settingScenarios,
  ...sourceScenarios,
  ...fileScenarios,
];
