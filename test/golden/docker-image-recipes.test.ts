import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import {
  collectRootScript,
  entrypointScript,
  helperDockerfile,
  managerDockerfile,
} from '../../src/executors/docker/helper-image/recipe.ts';

it.each([
  ['helper/Dockerfile', helperDockerfile],
  ['helper/collect-root.sh', collectRootScript],
  ['helper/entrypoint.sh', entrypointScript],
  ['manager/Dockerfile', managerDockerfile],
])('deploy/images/%s is what the program builds with', (name, text) => {
  const path = fileURLToPath(new URL(`../../deploy/images/${name}`, import.meta.url));
  if (process.env['UPDATE_GOLDEN'] === '1') {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  expect(readFileSync(path, 'utf8')).toBe(text);
});
