import type { DockerConfig } from '../../../config/docker-schema.ts';
import type { BuildPlan } from '../../../plan/build-plan.ts';
import { expandText } from '../../../variables/expand.ts';
import { variableLookup } from '../../../variables/lookup.ts';
import type { ExecutorLog } from '../../port.ts';
import { checkAllowed } from '../images/allow-list.ts';
import type { ImagesOfJob } from '../images/image-source.ts';
import type { ResolvedImage as FoundImage } from '../images/job-images.ts';
import { type JobImages, resolvedImage, type WantedImage } from './job-images.ts';

/** A job's images, as far as the configuration lets it have them (spec docker.md §7.1). */
export function allowedImages(
  { images, helperImage }: ImagesOfJob,
  { plan, settings, log }: { readonly plan: BuildPlan; readonly settings: DockerConfig; readonly log: ExecutorLog },
): JobImages {
  const lookup = variableLookup(plan.variables, plan.directories.temporary);
  const allowed = {
    image: {
      kind: 'images' as const,
      patterns: settings.allowed_images,
      always: [expandText(settings.image, lookup)],
    },
    service: {
      kind: 'services' as const,
      patterns: settings.allowed_services,
      always: settings.services.map(({ name }) => expandText(name, lookup)),
    },
  };
  return {
    resolve: async (wanted: WantedImage, signal) => {
      const name = wanted.kind === 'image' && plan.image === undefined ? expandText(wanted.name, lookup) : wanted.name;
      checkAllowed(name, allowed[wanted.kind], log);
      return facts(await images.resolve({ ...wanted, name }, signal));
    },
    helper: async (signal) => facts(await helperImage(signal)),
  };
}

function facts({ info, reference, platform }: FoundImage) {
  return { ...resolvedImage(info, platform ?? ''), reference };
}
