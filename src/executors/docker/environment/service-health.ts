import { setTimeout as sleep } from 'node:timers/promises';
import { errorMessage } from '../../../lib/errors.ts';
import type { ContainerInfo } from '../api/answers.ts';
import { prefixed } from '../container/labels.ts';
import type { NetworkFacts } from '../container/network-config.ts';
import { createContainer } from './create-container.ts';
import type { JobContext } from './job-context.ts';
import type { ResolvedImage } from './job-images.ts';
import type { PlannedService } from './service-list.ts';

export interface RunningService {
  readonly service: PlannedService;
  readonly info: ContainerInfo;
}

export interface HealthCheck {
  readonly network: NetworkFacts;
  readonly helperImage: () => Promise<ResolvedImage>;
  readonly waitSeconds: number;
}

/** Name of the container that checks a service. */
export function checkContainerName({ container }: PlannedService): string {
  return `${container}-wait-for-service`;
}

const mostPorts = 20;
const mostLogBytes = 64 * 1024;
const mostPatienceMs = 10_000;

/** Waits until one of a service's ports answers; says in the trace when none does. The job goes on either way. */
export async function checkService(
  context: JobContext,
  running: RunningService,
  check: HealthCheck,
  signal: AbortSignal,
): Promise<void> {
  const startedAt = performance.now();
  const problem = await healthProblem(context, running, check, signal);
  if (problem === undefined) return;
  // What it has to say about its failure may come a moment later.
  const restMs = Math.min(check.waitSeconds * 1000 - (performance.now() - startedAt), mostPatienceMs);
  if (restMs > 0 && running.info.State.Running && problem.isFinal !== true) {
    await sleep(restMs, undefined, { signal }).catch(() => {});
  }
  const serviceLog = await logOf(context, running.info.Id, signal);
  printProblem(context, running, problem, serviceLog);
}

interface HealthProblem {
  readonly text: string;
  /** Of the container that checked. */
  readonly log?: string;
  /** Nothing more is to come. */
  readonly isFinal?: boolean;
}

async function healthProblem(
  context: JobContext,
  { service, info }: RunningService,
  check: HealthCheck,
  signal: AbortSignal,
): Promise<HealthProblem | undefined> {
  const ports = portsOf(info);
  if (typeof ports === 'string') return { text: ports, isFinal: true };
  if (ports.length === 0) return { text: `service "${service.container}" has no exposed ports`, isFinal: true };
  const name = checkContainerName(service);
  const { client, settings, labels } = context;
  try {
    const image = await check.helperImage();
    const shortId = info.Id.slice(0, 12);
    const address = Object.values(info.NetworkSettings?.Networks ?? {}).findLast(({ IPAddress }) => IPAddress !== '');
    await createContainer(
      context,
      {
        Image: image.reference,
        Cmd: ['gitlab-runner-helper', 'health-check'],
        Env: [
          `WAIT_FOR_SERVICE_TCP_ADDR=${shortId}`,
          ...ports.map((port) => `WAIT_FOR_SERVICE_${port}_TCP_PORT=${port}`),
        ],
        Labels: { ...labels, ...prefixed({ type: 'wait', wait: info.Id }) },
        HostConfig: {
          RestartPolicy: { Name: 'no' },
          ...(check.network.mode === '' ? {} : { NetworkMode: check.network.mode }),
          ExtraHosts: [...settings.extra_hosts, ...(address === undefined ? [] : [`${shortId}:${address.IPAddress}`])],
          LogConfig: { Type: 'json-file', Config: settings.log_options },
        },
      },
      { name, platform: '' },
      signal,
    );
    return await runCheck(context, name, check.waitSeconds, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    return { text: errorMessage(error), isFinal: true };
  } finally {
    await client.removeContainer(name, { volumes: true }, AbortSignal.timeout(30_000)).catch(() => {});
  }
}

async function runCheck(
  context: JobContext,
  name: string,
  waitSeconds: number,
  signal: AbortSignal,
): Promise<HealthProblem | undefined> {
  const { client } = context;
  const limit = AbortSignal.timeout(waitSeconds * 1000);
  try {
    await client.startContainer(name, signal);
    const options = { condition: 'not-running' } as const;
    const { exitCode } = await client.waitContainer(name, options, AbortSignal.any([signal, limit]));
    if (exitCode === 0) return undefined;
    return {
      text: `service "${name}" health check: exit code ${exitCode}`,
      log: await logOf(context, name, signal),
    };
  } catch (error) {
    if (signal.aborted || !limit.aborted) throw error;
    return { text: `service "${name}" timeout`, log: await logOf(context, name, signal) };
  }
}

/** Ports to look at; a text says why there are none. */
function portsOf({ Config }: ContainerInfo): readonly number[] | string {
  const wanted = (Config?.Env ?? []).find((entry) => /^HEALTHCHECK_TCP_PORT=/i.test(entry))?.split('=')[1];
  if (wanted !== undefined) {
    return /^\d+$/.test(wanted) ? [Number(wanted)] : `invalid health check tcp port: ${wanted}`;
  }
  return (Config?.ExposedPorts ?? [])
    .filter((port) => port.endsWith('/tcp'))
    .map((port) => Number.parseInt(port, 10))
    .toSorted((a, b) => a - b)
    .slice(0, mostPorts);
}

async function logOf({ client }: JobContext, id: string, signal: AbortSignal): Promise<string> {
  try {
    const pieces: Uint8Array[] = [];
    let size = 0;
    const frames = await client.containerLogs(id, { follow: false, timestamps: true }, signal);
    for await (const { bytes } of frames) {
      pieces.push(bytes);
      size += bytes.length;
      if (size > mostLogBytes) break;
    }
    return Buffer.concat(pieces).subarray(0, mostLogBytes).toString();
  } catch (error) {
    return errorMessage(error);
  }
}

/** Text and colours as users know them (spec docker.md §12.4). */
function printProblem(
  { io }: JobContext,
  { service }: RunningService,
  { text, log }: HealthProblem,
  serviceLog: string,
): void {
  io.log.print(
    [
      '',
      `\x1b[0;33m*** WARNING:\x1b[0;m Service ${service.container} probably didn't start properly.`,
      '',
      'Health check error:',
      text,
      '',
      ...(log === undefined ? [] : ['Health check container logs:', log, '']),
      'Service container logs:',
      serviceLog,
      '',
      '\x1b[0;33m*********\x1b[0;m',
      '',
    ].join('\n'),
  );
}
