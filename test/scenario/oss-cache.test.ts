import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ConnectProxy, startConnectProxy } from '../services/connect-proxy.ts';
import { type OssServer, startOssServer } from '../services/oss-server.ts';
import { createTestAuthority } from '../support/certificates.ts';
import { needs } from '../support/needs.ts';
import { millrace, plainTrace, RunnerBench, scriptJob } from '../support/runner-bench.ts';

const region = 'cn-hangzhou';
const endpoint = `oss-${region}.aliyuncs.com`;
const keys = { accessKey: 'LTAI5tScenario', secretKey: 'the-secret-of-the-oss-account' };

/** As the guide of the cloud service has it. */
const configuration = `
[runners.cache]
  type = "s3"
  shared = true
  [runners.cache.s3]
    ServerAddress = "${endpoint}"
    AccessKey = "${keys.accessKey}"
    SecretKey = "${keys.secretKey}"
    BucketName = "runner-cache"
    BucketLocation = "${region}"
    Insecure = false
`;

const systemFiles = ['/etc/hosts', '/etc/ssl/certs/ca-certificates.crt'].filter((path) => existsSync(path));

describe.skipIf(!needs('openssl'))('a cache in Alibaba Cloud OSS, under its own host name', () => {
  let folder: string;
  let bench: RunnerBench;
  let oss: OssServer;
  let proxy: ConnectProxy;
  let environment: Readonly<Record<string, string>>;
  const before = systemFiles.map((path) => readFileSync(path, 'utf8'));

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'oss-scenario-'));
    const authority = createTestAuthority(folder, 'oss');
    const { certFile, keyFile } = authority.issue('server', `DNS:${endpoint},DNS:*.${endpoint}`);
    const certificate = { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
    oss = await startOssServer({ ...keys, region, bucket: 'runner-cache', endpoint, certificate });
    proxy = await startConnectProxy({ [`.${endpoint}:443`]: oss.port, [`${endpoint}:443`]: oss.port });
    environment = { HTTPS_PROXY: proxy.url, SSL_CERT_FILE: authority.certFile };
    bench = await RunnerBench.start();
  });
  afterAll(async () => {
    await bench.close();
    await proxy.close();
    await oss.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A job on a machine of its own: only the store can bring it a cache. */
  async function run(machine: string, script: readonly string[]): Promise<string> {
    const runner = bench.startRunner(millrace(), {
      name: machine,
      runnerLines: configuration.split('\n'),
      environment,
    });
    const cache = [{ key: 'test', paths: ['node_modules/', '.cache/'], policy: 'pull-push', when: 'on_success' }];
    const id = await bench.submit(scriptJob({ script, payload: { cache } }));
    const job = await bench.finished(id);
    const trace = plainTrace(await bench.trace(id));
    expect(job.status, trace).toBe('success');
    runner.kill('SIGQUIT');
    await runner.ended;
    expect(runner.log()).not.toContain(keys.secretKey);
    return trace;
  }

  test('is saved by one job and restored by another on another machine, and no secret reaches a job', async () => {
    const saved = await run('first', [
      'mkdir -p node_modules/a .cache',
      'echo hello > node_modules/a/file',
      'env',
      'ps ax || true',
    ]);
    expect(saved).toContain('Created cache');
    expect(saved).toContain(`Uploading cache.zip to https://runner-cache.${endpoint}/project/`);
    const restored = await run('second', ['cat node_modules/a/file', 'ls -d .cache']);
    expect(restored).toContain('Checking cache for test...');
    expect(restored).toContain('Successfully extracted cache');
    expect(restored).toMatch(/^hello/m);
    expect(`${saved}${restored}`).not.toContain(keys.secretKey);
    expect([...oss.objects.keys()]).toEqual([expect.stringMatching(/^project\/\d+\/test$/)]);
    expect(oss.objects.values().next().value?.headers['x-amz-meta-cachekey']).toBe('test');
  });

  test('was reached through the proxy, with the bucket in the host name, and nothing was refused', () => {
    expect(new Set(proxy.asked)).toEqual(new Set([`runner-cache.${endpoint}:443`]));
    const refused = oss.requests.filter((request) => !/→ (?:200|206|404)/.test(request));
    expect(refused).toEqual([]);
    expect(oss.requests.some((request) => request.startsWith('PUT '))).toBe(true);
  });

  test('the system knows nothing of it', () => {
    expect(systemFiles.map((path) => readFileSync(path, 'utf8'))).toEqual(before);
  });

  test('with the wrong secret a job still succeeds and says what the store answered', async () => {
    const wrong = configuration.replace(keys.secretKey, 'another-secret');
    const runner = bench.startRunner(millrace(), { name: 'wrong', runnerLines: wrong.split('\n'), environment });
    const cache = [{ key: 'test', paths: ['kept'], policy: 'pull-push', when: 'on_success' }];
    const id = await bench.submit(scriptJob({ script: ['mkdir kept', 'echo x > kept/x'], payload: { cache } }));
    expect((await bench.finished(id)).status).toBe('success');
    const trace = plainTrace(await bench.trace(id));
    expect(trace).toContain('SignatureDoesNotMatch');
    expect(trace).toContain('Failed to create cache');
    runner.kill('SIGQUIT');
    await runner.ended;
  });
});
