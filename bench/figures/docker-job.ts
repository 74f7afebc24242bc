import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { docker, dockerHost, hasDocker } from '../../test/support/docker-daemon.ts';
import { scriptJob } from '../../test/support/runner-bench.ts';
import type { BenchOptions, Figure } from '../support/figure.ts';
import { type Measurement, Samples } from '../support/measurement.ts';
import { comparedPrograms } from '../support/program.ts';
import { jobSeconds, withStand } from '../support/stand.ts';

const warmUps = 2;

/** One job that runs `true` in a container; the floor is `docker run` of the same image. */
export const dockerJob: Figure = {
  name: 'docker',
  title: 'one job that runs `true` in a container',
  measure: async (options) => {
    if (!hasDocker()) return [];
    const image =
      options.peerHelper === undefined ? undefined : makePeerHelperImage(options.peerHelper.command[0] ?? '');
    try {
      return [await measureJobs(options, image ?? 'debian:test'), measureFloor(options)];
    } finally {
      if (image !== undefined) docker('rmi', '-f', image);
    }
  },
};

function measureJobs(options: BenchOptions, helperImage: string): Promise<Measurement> {
  return withStand(async (stand) => {
    const samples = new Samples();
    const runners = await stand.startRunners(comparedPrograms(options), {
      concurrent: 1,
      executor: 'docker',
      home: 'empty',
      environment: { DOCKER_HOST: dockerHost() },
      executorLines: [
        '[runners.docker]',
        'image = "busybox:test"',
        `helper_image = ${JSON.stringify(helperImage)}`,
        'pull_policy = "if-not-present"',
      ],
    });
    const payload = scriptJob({ script: ['true'] });
    for (let run = -warmUps; run < (options.runs ?? 10); run += 1) {
      for (const runner of runners) {
        const job = await stand.runJob(runner, payload);
        if (job.status !== 'success') throw new Error(`a job of ${runner.kind} ended as ${job.status}`);
        if (run >= 0) samples.add(runner.kind, jobSeconds(job));
      }
    }
    return samples.measurement('trivial docker job, hand-out to final update', 's', { ratioAtMost: 0.3 });
  });
}

function measureFloor(options: BenchOptions): Measurement {
  const samples = new Samples();
  for (let run = 0; run < (options.runs ?? 10); run += 1) {
    const startedAt = performance.now();
    docker('run', '--rm', 'busybox:test', 'true');
    samples.add('millrace', (performance.now() - startedAt) / 1000);
  }
  return samples.measurement('docker run of the same image (floor)', 's');
}

/** The test image with the Go runner's helper, which it wants there. */
function makePeerHelperImage(helper: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'bench-helper-'));
  const image = `bench-peer-helper:${process.pid}`;
  try {
    const build = join(folder, 'gitlab-runner-build');
    writeFileSync(build, '#!/bin/bash\numask 0000\nexec /bin/bash\n');
    chmodSync(build, 0o755);
    const container = docker('create', 'debian:test', 'true').trim();
    docker('cp', helper, `${container}:/usr/bin/gitlab-runner-helper`);
    docker('cp', build, `${container}:/usr/bin/gitlab-runner-build`);
    docker('commit', container, image);
    docker('rm', container);
    return image;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
