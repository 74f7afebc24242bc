import type { JsonValue } from '../lib/json.ts';
import type { BuildPlan } from './build-plan.ts';

const hidden = '[hidden]';

/** Shorter values that are not public stay readable where other texts happen to hold them. */
const shortestHidden = 6;

/**
 * A plan for people to read: values of variables that are not public, tokens, passwords and masked phrases are hidden
 * wherever they stand. The user's own commands stay as they are, unless a hidden value is in them.
 */
export function publicView(plan: BuildPlan): JsonValue {
  const secrets = secretTexts(plan);
  const view = {
    ...plan,
    job: { ...plan.job, token: hidden },
    variables: plan.variables.map((variable) => hideVariable(variable)),
    services: plan.services.map((service) => ({
      ...service,
      variables: service.variables.map((variable) => hideVariable(variable)),
    })),
    masking: { ...plan.masking, phrases: plan.masking.phrases.map(() => hidden) },
    script: { ...plan.script, outputMark: plan.script.outputMark === '' ? '' : hidden },
    registryCredentials: plan.registryCredentials.map((credential) => ({ ...credential, password: hidden })),
  };
  return hideIn(view, secrets);
}

function hideVariable<T extends { readonly value: string; readonly public: boolean; readonly masked: boolean }>(
  variable: T,
): T {
  return variable.value === '' || (variable.public && !variable.masked) ? variable : { ...variable, value: hidden };
}

/** What must not be readable anywhere in the plan, the longest first. */
function secretTexts(plan: BuildPlan): readonly string[] {
  const texts = [
    plan.job.token,
    ...plan.masking.phrases,
    ...plan.registryCredentials.map(({ password }) => password),
    ...plan.variables
      .filter((variable) => !variable.public && variable.value.length >= shortestHidden)
      .map(({ value }) => value),
    ...downloadTokens(plan.stages),
  ];
  return [...new Set(texts.filter((text) => text !== ''))].sort((a, b) => b.length - a.length);
}

/** Tokens of other jobs, given to the helper that downloads their artifacts. */
function downloadTokens(node: unknown): readonly string[] {
  if (Array.isArray(node)) {
    return node.flatMap((item: unknown, index) => {
      const next: unknown = node[index + 1];
      return item === '--token' && typeof next === 'string' ? [next] : downloadTokens(item);
    });
  }
  return typeof node === 'object' && node !== null ? Object.values(node).flatMap(downloadTokens) : [];
}

/** Their values are words of the plan's own, whatever text a secret happens to be. */
const ownWords = new Set(['op', 'test', 'kind', 'level', 'dialect', 'where', 'exports', 'stage', 'when', 'shell']);

const passwordInUrl = /(\b[a-z][a-z0-9+.-]*:\/\/[^\s/?#@:]*:)[^\s/?#@]+@/gi;

function hideIn(node: unknown, secrets: readonly string[]): JsonValue {
  if (typeof node === 'string') {
    const withoutSecrets = secrets.reduce((text, secret) => text.replaceAll(secret, hidden), node);
    return withoutSecrets.replaceAll(passwordInUrl, `$1${hidden}@`);
  }
  if (Array.isArray(node)) return node.map((item: unknown) => hideIn(item, secrets));
  if (typeof node === 'object' && node !== null) {
    return Object.fromEntries(
      Object.entries(node)
        .filter(([, value]) => value !== undefined)
        .map(([key, value]) => [key, hideIn(value, ownWords.has(key) ? [] : secrets)]),
    );
  }
  return typeof node === 'number' || typeof node === 'boolean' ? node : null;
}
