import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createDummyProvider } from '../../../src/executors/dummy/dummy-provider.ts';
import type { Lease, StageIo } from '../../../src/executors/port.ts';
import { AbortReason } from '../../../src/lib/abort.ts';
import { EnvironmentLostError, JobConfigurationError, PrepareError } from '../../../src/lib/errors.ts';
import { systemClock } from '../../../src/platform/system-clock.ts';
import { planFor, runnerFor } from './plan.ts';

const never = new AbortController().signal;
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'dummy-'));
  folders.push(folder);
  return folder;
}

function stageIo(written: string[] = []): StageIo {
  return {
    directory: newFolder(),
    recordStage: () => {},
    write: (stream, bytes) => void written.push(`${stream}: ${Buffer.from(bytes).toString()}`),
    cursor: undefined,
  };
}

const silent = () => {};
const jobIo = {
  log: { print: silent, info: silent, warning: silent, error: silent },
  directory: '/does/not/matter',
  recordEnvironment: silent,
};

async function newLease(provider = createDummyProvider({ clock: systemClock() })): Promise<Lease> {
  const lease = await provider.acquire(runnerFor('dummy'), never);
  if (lease === undefined) throw new Error('no capacity');
  return lease;
}

async function newExecutor(variables: Readonly<Record<string, string>> = {}) {
  return await (await newLease()).prepare(planFor({ variables }), jobIo, never);
}

function command(stage: string) {
  return { stage, script: '', where: 'build' as const };
}

describe('switches', () => {
  it('are for the steps, or for the stage they name', async () => {
    const executor = await newExecutor({ DUMMY_EXIT_CODE: '3', DUMMY_EXIT_CODE_GET_SOURCES: '4', DUMMY_OUTPUT: 'x' });
    const written: string[] = [];
    expect((await executor.run(command('prepare_script'), stageIo(written), never)).code).toBe(0);
    expect(written).toEqual([]);
    expect((await executor.run(command('get_sources'), stageIo(), never)).code).toBe(4);
    expect((await executor.run(command('step_script'), stageIo(written), never)).code).toBe(3);
    expect(written).toEqual(['stdout: x']);
  });

  it('write as much as is wanted', async () => {
    const executor = await newExecutor({ DUMMY_OUTPUT: 'head\n', DUMMY_OUTPUT_BYTES: '200000' });
    const written: Uint8Array[] = [];
    await executor.run(command('step_script'), { ...stageIo(), write: (_, bytes) => void written.push(bytes) }, never);
    const text = Buffer.concat(written).toString();
    expect(text.length).toBe(200_005);
    expect(new Set(text.split('\n').slice(1, -1))).toEqual(new Set(['0123456789abcdef'.repeat(4)]));
  });

  it('lose the environment', async () => {
    const executor = await newExecutor({ DUMMY_LOSE_ENVIRONMENT: 'true' });
    await expect(executor.run(command('step_script'), stageIo(), never)).rejects.toBeInstanceOf(EnvironmentLostError);
  });

  it('fail some or all attempts to prepare', async () => {
    const lease = await newLease();
    const plan = planFor({ variables: { DUMMY_FAIL_PREPARE: '2' } });
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await expect(lease.prepare(plan, jobIo, never)).rejects.toBeInstanceOf(PrepareError);
    }
    await lease.prepare(plan, jobIo, never);
    await expect(newExecutor({ DUMMY_FAIL_PREPARE: 'true' })).rejects.toBeInstanceOf(PrepareError);
  });

  it('let the environment be gone, or leave something behind', async () => {
    const plan = planFor({ variables: { DUMMY_GONE: 'true' } });
    expect(await (await newLease()).recover(plan, null, jobIo, never)).toBe('gone');
    const executor = await newExecutor({ DUMMY_LEFTOVER: 'a volume' });
    expect(await executor.cleanup(never)).toEqual({ leftovers: ['a volume'] });
  });

  it('are refused when they are no numbers', async () => {
    const executor = await newExecutor({ DUMMY_SLEEP_MS: 'long' });
    await expect(executor.run(command('step_script'), stageIo(), never)).rejects.toBeInstanceOf(JobConfigurationError);
  });
});

describe('the order of calls', () => {
  it('allows no second stage while one runs, and no cleanup', async () => {
    const executor = await newExecutor({ DUMMY_SLEEP_MS: '60000' });
    const controller = new AbortController();
    const first = executor.run(command('step_script'), stageIo(), controller.signal);
    await expect(executor.run(command('after_script'), stageIo(), never)).rejects.toThrow('while step_script runs');
    await expect(executor.cleanup(never)).rejects.toThrow('while step_script runs');
    controller.abort(new AbortReason('aborted'));
    await expect(first).rejects.toMatchObject({ kind: 'aborted' });
  });

  it('allows no stage twice, and none after cleanup', async () => {
    const executor = await newExecutor();
    const io = stageIo();
    await executor.run(command('step_script'), io, never);
    await expect(executor.run(command('step_script'), io, never)).rejects.toThrow('started twice');
    await executor.cleanup(never);
    await expect(executor.run(command('after_script'), stageIo(), never)).rejects.toThrow('after cleanup');
  });

  it('allows prepare, recover and release only when the last environment was cleaned up', async () => {
    const lease = await newLease();
    const executor = await lease.prepare(planFor(), jobIo, never);
    await expect(lease.prepare(planFor(), jobIo, never)).rejects.toThrow('before the last cleanup');
    await expect(lease.release(never)).rejects.toThrow('before cleanup');
    await executor.cleanup(never);
    await expect(lease.recover(planFor(), null, jobIo, never)).rejects.toThrow('after prepare');
    await lease.release(never);
    await expect(lease.prepare(planFor(), jobIo, never)).rejects.toThrow('after release');
  });

  it('allows shutdown once, when every lease is back', async () => {
    const provider = createDummyProvider({ clock: systemClock(), capacity: 1 });
    const lease = await newLease(provider);
    expect(await provider.acquire(runnerFor('dummy'), never)).toBeUndefined();
    await expect(provider.shutdown(never)).rejects.toThrow('1 leases are out');
    await lease.release(never);
    await provider.shutdown(never);
    await expect(provider.shutdown(never)).rejects.toThrow('twice');
    await expect(provider.acquire(runnerFor('dummy'), never)).rejects.toThrow('after shutdown');
  });
});
