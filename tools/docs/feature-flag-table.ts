import { featureFlags } from '../../src/variables/feature-flags.ts';

/** The table of docs/feature-flags.md. */
export function featureFlagTable(): string {
  const rows = featureFlags.map(
    (flag) => `| \`${flag.name}\` | ${flag.default} | ${flag.scope} | ${flag.deprecated ? 'deprecated' : ''} |`,
  );
  return ['| flag | default | scope | |', '| --- | --- | --- | --- |', ...rows].join('\n');
}
