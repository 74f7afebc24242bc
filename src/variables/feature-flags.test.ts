import { describe, expect, it } from 'vitest';
import { featureFlags, isFeatureFlagName, resolveFeatureFlags } from './feature-flags.ts';

describe('feature flags', () => {
  it('are each named once', () => {
    expect(new Set(featureFlags.map(({ name }) => name)).size).toBe(featureFlags.length);
    expect(featureFlags.every(({ name }) => isFeatureFlagName(name))).toBe(true);
    expect(isFeatureFlagName('FF_NOT_ONE')).toBe(false);
  });

  it('come from config.toml, else from the job, else from the table', () => {
    const { values, changed, problems } = resolveFeatureFlags(
      { FF_SCRIPT_SECTIONS: false, FF_UNKNOWN: true, FF_USE_JOB_ROUTER: true },
      [
        { key: 'FF_SCRIPT_SECTIONS', value: 'true' },
        { key: 'FF_TIMESTAMPS', value: 'f' },
        { key: 'FF_ENABLE_JOB_CLEANUP', value: 'maybe' },
        { key: 'FF_HASH_CACHE_KEYS', value: 'false' },
        { key: 'FF_HASH_CACHE_KEYS', value: '1' },
        { key: 'FF_RESOLVE_FULL_TLS_CHAIN', value: 'true' },
      ],
    );
    expect(values).toMatchObject({
      FF_SCRIPT_SECTIONS: false,
      FF_TIMESTAMPS: false,
      FF_ENABLE_JOB_CLEANUP: false,
      FF_HASH_CACHE_KEYS: true,
      FF_USE_JOB_ROUTER: true,
      FF_RESOLVE_FULL_TLS_CHAIN: false,
      FF_USE_FASTZIP: true,
    });
    expect(values).not.toHaveProperty('FF_UNKNOWN');
    expect(changed).toEqual(['FF_TIMESTAMPS:false', 'FF_HASH_CACHE_KEYS:true', 'FF_USE_JOB_ROUTER:true']);
    expect(problems).toEqual(['FF_ENABLE_JOB_CLEANUP: could not parse feature flag, expected bool, got maybe']);
  });
});
