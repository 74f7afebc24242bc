import { describe, expect, it } from 'vitest';
import { payloadFixture, planRequestFixture } from '../../test/support/plan-fixtures.ts';
import { planBuild } from '../plan/plan-build.ts';
import { comingStages } from './coming-stages.ts';

const ours = { where: 'helper', isOurs: true };
const theirs = { where: 'build', isOurs: false };

function planOf(changes: Readonly<Record<string, unknown>>) {
  return planBuild(planRequestFixture({ payload: payloadFixture(changes) }));
}

describe('comingStages', () => {
  it('of a job are those up to the first with code of the user', () => {
    expect(comingStages(planOf({}))).toMatchObject([{ isOurs: true }, { isOurs: false }]);
  });

  it('go no further than a hook of the user', () => {
    const hooks = [{ name: 'pre_get_sources_script', script: ['make'] }];
    expect(comingStages(planOf({ hooks }))).toMatchObject([{ isOurs: false }]);
  });

  it('after the sources are the steps', () => {
    const plan = planOf({});
    expect(comingStages(plan, plan.stages.getSources)).toEqual([theirs]);
  });

  it('after the archive of a cache is the upload, of the same outcome', () => {
    const artifacts = [{ paths: ['made'], artifact_type: 'archive', artifact_format: 'zip', when: 'on_success' }];
    const cache = [{ key: 'k', paths: ['p'], policy: 'pull-push', when: 'always' }];
    const plan = planOf({ artifacts, cache });
    expect(comingStages(plan, plan.stages.archiveCacheOnSuccess)).toEqual([ours]);
    expect(comingStages(plan, plan.stages.archiveCacheOnFailure)).toEqual([]);
  });

  it('leave out what needs no shell', () => {
    const plan = planOf({});
    expect(comingStages(plan, plan.stages.cleanup)).toEqual([]);
  });
});
