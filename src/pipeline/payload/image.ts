import type { SubmittedJob } from '../../coordinator/submission.ts';
import type { ImageConfig } from '../keywords/image.ts';
import { fromYaml } from '../variables/job-scope.ts';

type PayloadImage = NonNullable<SubmittedJob['image']>;

/** `image` or a service as the payload has it; absent members are left out. */
export function payloadImage(config: ImageConfig): PayloadImage {
  return {
    name: config.name,
    ...(config.alias === undefined ? {} : { alias: config.alias }),
    ...(config.entrypoint === undefined ? {} : { entrypoint: [...config.entrypoint] }),
    ...(config.command === undefined ? {} : { command: [...config.command] }),
    ...(config.variables.length === 0 ? {} : { variables: config.variables.map(fromYaml) }),
    ...(config.pullPolicy === undefined ? {} : { pull_policy: [...config.pullPolicy] }),
    ...(config.executorOptions === undefined ? {} : { executor_opts: { ...config.executorOptions } }),
  };
}
