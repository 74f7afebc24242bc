import type { JobPayload, PayloadArtifact, PayloadCache, PayloadImage } from '../../gitlab/job-payload.ts';
import { JobConfigurationError } from '../../lib/errors.ts';
import { renderTemplate } from './evaluate.ts';
import { ExpressionError, SensitiveInputError, type ValueTable } from './expression.ts';
import { parseTemplate } from './parse-template.ts';
import { readInputs } from './read-inputs.ts';

type Render = (text: string) => string;

/**
 * Puts the job's inputs in where the job refers to them. A job without inputs stays as it is, whatever its texts look
 * like (spec job-execution.md §22).
 * @throws JobConfigurationError
 */
export function interpolateInputs(payload: JobPayload): JobPayload {
  if (payload.inputs.length === 0) return payload;
  try {
    return interpolated(payload, rendererFor({ job: { inputs: readInputs(payload.inputs) } }));
  } catch (error) {
    throw explained(error);
  }
}

function rendererFor(names: ValueTable): Render {
  return (text) => (text.includes('${{') ? renderTemplate(parseTemplate(text), names) : text);
}

function explained(error: unknown): unknown {
  if (error instanceof SensitiveInputError) {
    return new JobConfigurationError('sensitive inputs are unsupported in interpolations yet', { cause: error });
  }
  if (error instanceof ExpressionError) {
    return new JobConfigurationError(`failed to interpolate job inputs: ${error.message}`, { cause: error });
  }
  return error;
}

function interpolated(payload: JobPayload, render: Render): JobPayload {
  return {
    ...payload,
    steps: payload.steps.map((step) =>
      step.name === 'script' || step.name === 'after_script' ? { ...step, script: step.script.map(render) } : step,
    ),
    image: interpolatedImage(payload.image, render),
    services: payload.services.map((service) => interpolatedImage(service, render)),
    artifacts: payload.artifacts.map((artifact) => interpolatedArtifact(artifact, render)),
    cache: payload.cache.map((cache) => interpolatedCache(cache, render)),
  };
}

function interpolatedImage(image: PayloadImage, render: Render): PayloadImage {
  return {
    ...image,
    name: render(image.name),
    command: image.command.map(render),
    entrypoint: image.entrypoint.map(render),
    pull_policy: image.pull_policy.map(render),
    executor_opts: renderTexts(image.executor_opts, render) as PayloadImage['executor_opts'],
  };
}

/** Every text in a JSON value, at any depth. */
function renderTexts(value: unknown, render: Render): unknown {
  if (typeof value === 'string') return render(value);
  if (Array.isArray(value)) return value.map((item: unknown) => renderTexts(item, render));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, renderTexts(item, render)]));
}

function interpolatedArtifact(artifact: PayloadArtifact, render: Render): PayloadArtifact {
  return {
    ...artifact,
    name: render(artifact.name),
    paths: artifact.paths.map(render),
    exclude: artifact.exclude.map(render),
    when: render(artifact.when),
    expire_in: render(artifact.expire_in),
  };
}

function interpolatedCache(cache: PayloadCache, render: Render): PayloadCache {
  return {
    ...cache,
    key: render(cache.key),
    policy: render(cache.policy),
    paths: cache.paths.map(render),
    when: render(cache.when),
    fallback_keys: cache.fallback_keys.map(render),
  };
}
