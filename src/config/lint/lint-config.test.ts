import { expect, it } from 'vitest';
import { lintConfig } from './lint-config.ts';

const facts = {
  environment: { TOKEN: 'glrt-x' },
  executors: ['shell', 'docker', 'custom', 'kubernetes'],
  isFeatureFlag: (name: string) => name === 'FF_TIMESTAMPS',
  fileExists: (path: string) => Promise.resolve(path === 'there'),
};

async function linesOf(text: string): Promise<readonly string[]> {
  const problems = await lintConfig(text, 'config.toml', facts);
  return problems.map(({ line, message }) => `${line} ${message}`);
}

/** Every line with a mark has a mistake; the mark says what is told of it. */
const withMistakes = `concurrent = 0 #! concurrent: 0 must be at least 1
check_interval = -1 #! check_interval: -1 is negative
log_level = "loud" #! log_level: "loud" is no log level
log_format = "xml" #! log_format: "xml" is no log format
listen_adress = ":9252" #! unknown key: listen_adress; did you mean listen_address?
listen_address = "http://x:1" #! listen_address: "http://x:1" is an address like host:port, without a scheme
connection_max_age = "15 minutes" #! connection_max_age: "15 minutes" is not a duration
shutdown_timeout = "30s" #! shutdown_timeout: expected an integer
[session_server]
  advertise_address = "https://x" #! session_server.advertise_address: "https://x" is an address
  session_timeout = 1.5 #! session_server.session_timeout: expected an integer
[labels]
  ab = "x" #! labels: invalid label key: ab
  abc = "a b" #! labels.abc: "a b" is no label value
[[runners]] #! runners.executor: is missing
  name = 5 #! runners.name: expected a string
  url = "gitlab.example.com" #! runners.url: cannot be read as a URL
  token = "" #! runners.token: is missing or empty
  limit = -2 #! runners.limit: -2 is negative
  shell = "fish" #! runners.shell: "fish" is none of bash, sh
  environment = ["A"] #! runners.environment: "A" is not written as NAME=VALUE
  prepare_timeout = "1d" #! runners.prepare_timeout: "1d" is not a duration
[[runners]]
  url = "ftp://gitlab.example.com" #! runners.url: only http or https scheme supported
  token = "$NONE" #! runners.token: is missing or empty
  executor = "podman" #! runners.executor: "podman" is none of shell
  clone_url = "x" #! runners.clone_url: "x" is no URL
  [runners.feature_flags]
    FF_OLD = true #! runners.feature_flags: there is no feature flag FF_OLD
    FF_TIMESTAMPS = "yes" #! runners.feature_flags.FF_TIMESTAMPS: expected a boolean
  [runners.docker]
    pull_policy = ["always", "sometimes"] #! runners.docker.pull_policy: "sometimes" is none of
    memory = "lots" #! runners.docker.memory: "lots" is no size
    cpus = "two" #! runners.docker.cpus: "two" is no number of CPUs
    dns = ["dns.example.com"] #! runners.docker.dns: "dns.example.com" is no IP address
    helper_image_autoset_arch_and_os = true #! unknown key: runners.docker.helper_image_autoset_arch_and_os
    [[runners.docker.services]] #! runners.docker.services: a service needs a name
      alias = "db"
  [runners.cache]
    Type = "ftp" #! runners.cache.Type: "ftp" is none of s3
    type = "s3" #! runners.cache.type stands twice: Type is used
  [runners.referees.metrics]
    metric_queries = [] #! unknown key: runners.referees.metrics.metric_queries; did you mean queries?
    queries = ["a:b:c"] #! runners.referees.metrics.queries: "a:b:c" is not name:query
[[runners]]
  url = "https://gitlab.example.com/ci" #! runners.url: the /ci at the end
  token_file = "none" #! runners.token_file: none does not exist
  executor = "custom" #! runners.custom.run_exec: is missing
  [runners.machine]
    MachineName = "x" #! runners.machine.MachineName: "x" must contain %s
    MachineOptionsWithName = ["a"] #! machine option with name: "a" must contain %s placeholder
  [[runners.kubernetes.volumes.nfs]] #! nfs volume: missing required fields: mount_path, server, path
    name = "x"
  [[runners.kubernetes.pod_spec]] #! ambiguous patch
    patch = "{}"
    patch_path = "x"
    patch_type = "odd" #! runners.kubernetes.pod_spec.patch_type: "odd" is none of
  [[runners.autoscaler.policy]]
    idle_time = "10ms" #! runners.autoscaler.policy.idle_time: "10ms" is shorter than 1s
`;

it('finds every mistake of a file at its line', async () => {
  const found = await linesOf(withMistakes);
  const seeded = withMistakes.split('\n').flatMap((line, index) => {
    const [, mark] = line.split('#! ');
    return mark === undefined ? [] : [`${index + 1} ${mark}`];
  });
  expect(seeded.length).toBeGreaterThanOrEqual(45);
  expect(found).toHaveLength(seeded.length);
  for (const [index, wanted] of seeded.entries()) expect(found[index]).toContain(wanted);
});

it.each([
  ['concurrent = ', '1 '],
  ['a = 1\na = 2\n', '2 '],
  ['[[runners]]\nname = "x\n', '2 '],
])('says where the text is no TOML: %j', async (text, start) => {
  const [problem, ...others] = await linesOf(text);
  expect(problem?.startsWith(start)).toBe(true);
  expect(others).toEqual([]);
});

it('has nothing to say about a file that is right', async () => {
  const text = `concurrent = 2
[[runners]]
  URL = "https://gitlab.example.com"
  token = "$TOKEN"
  executor = "docker"
  [runners.docker]
    image = "alpine"
    memory = "512m"
    cpus = "1/2"
    pull_policy = "if-not-present"
[[runners]]
  url = "https://gitlab.example.com"
  token_file = "there"
  executor = "shell"
`;
  expect(await linesOf(text)).toEqual([]);
});
