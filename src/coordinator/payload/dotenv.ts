/** Limits of dotenv reports; GitLab's defaults. */
export interface DotenvLimits {
  readonly maxBytes: number;
  readonly maxVariables: number;
}

export const gitLabDotenvLimits: DotenvLimits = { maxBytes: 5 * 1024, maxVariables: 20 };

export type DotenvResult =
  | { readonly ok: true; readonly variables: readonly { readonly key: string; readonly value: string }[] }
  /** Reported as HTTP 400 to the uploader. */
  | { readonly ok: false; readonly message: string };

/**
 * Reads a dotenv report by GitLab's rules (spec local-pipeline.md §9.7): `KEY=value` on every line, no quoting, no
 * comments, no blank lines; of equal keys the last wins.
 * @param content the uncompressed report
 */
export function parseDotenv(content: Uint8Array, limits: DotenvLimits): DotenvResult {
  if (content.length > limits.maxBytes) {
    return { ok: false, message: `Dotenv Artifact Too Big. Maximum Allowable Size: ${limits.maxBytes}` };
  }
  const text = Buffer.from(content)
    .toString('utf8')
    .replace(/^\uFEFF/, '');
  const variables = new Map<string, string>();
  for (const [index, line] of linesOf(text).entries()) {
    const match = /^(.*?)=(.*)$/.exec(line);
    if (match === null) return { ok: false, message: `Invalid Format: line ${index + 1} is not KEY=value` };
    const key = (match[1] ?? '').trim();
    if (!/^[A-Za-z0-9_]+$/.test(key)) {
      return {
        ok: false,
        message: `Validation failed: Key can contain only letters, digits and '_' (line ${index + 1})`,
      };
    }
    variables.set(key, (match[2] ?? '').trim());
  }
  if (variables.size > limits.maxVariables) {
    return { ok: false, message: `Dotenv files cannot have more than ${limits.maxVariables} variables` };
  }
  return { ok: true, variables: [...variables].map(([key, value]) => ({ key, value })) };
}

function linesOf(text: string): readonly string[] {
  if (text === '') return [];
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''));
  if (lines.at(-1) === '') lines.pop();
  return lines;
}
