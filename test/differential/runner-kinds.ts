/** Lines of the `[[runners]]` entries that scenarios choose from, beside those every entry has. */
export const runnerKinds = {
  plain: [],
  hooked: [
    `pre_get_sources_script = 'echo "runner before the sources"'`,
    `post_get_sources_script = 'echo "runner after the sources"'`,
    `pre_build_script = 'export FROM_PRE_BUILD=1; echo "runner before the script"'`,
    `post_build_script = 'echo "runner after the script"'`,
    `environment = ["FROM_CONFIG=configured", "OVERRIDDEN=by config", "WITH_REFERENCE=$FROM_JOB", "BROKEN"]`,
  ],
  small: ['output_limit = 4'],
  quiet: ['debug_trace_disabled = true'],
  posix: ['shell = "sh"'],
  free: ['[runners.custom_build_dir]', '  enabled = true'],
  flagged: ['[runners.feature_flags]', '  FF_ENABLE_BASH_EXIT_CODE_CHECK = true'],
} as const satisfies Record<string, readonly string[]>;

export type RunnerKind = keyof typeof runnerKinds;
