import { expect, test } from 'vitest';
import { artifactFolderName } from './pipeline-artifacts.ts';

test('folders of artifacts', () => {
  expect(['build', 'unit: [linux, arm]', '../..', '..', 'a/b'].map(artifactFolderName)).toEqual([
    'build',
    'unit_ [linux, arm]',
    '.._..',
    '_..',
    'a_b',
  ]);
});
