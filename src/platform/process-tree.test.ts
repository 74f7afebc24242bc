import { describe, expect, it } from 'vitest';
import { parseProcessStat } from './process-identity.ts';
import { createProcessTable, type ProcessEntry, withProcessCookies } from './process-table.ts';
import { endProcesses, selectProcesses } from './process-tree.ts';

function entry(pid: number, parent: number, session: number, cookies: readonly string[] = []): ProcessEntry {
  return { pid, parent, group: session, session, startTime: '5', isZombie: false, isStopped: false, cookies };
}

function selected(processes: readonly ProcessEntry[], options: Partial<Parameters<typeof selectProcesses>[1]> = {}) {
  return selectProcesses(processes, { cookie: 'mine', ...options }).map(({ pid }) => pid);
}

describe('selectProcesses', () => {
  it('takes what carries the cookie, and its descendants without it', () => {
    const processes = [entry(9001, 1, 9001, ['mine', 'other']), entry(9002, 9001, 9002), entry(9003, 9002, 9003)];
    expect(selected([...processes, entry(9004, 1, 9004, ['not-mine'])])).toEqual([9001, 9002, 9003]);
  });

  it('takes members of a session that a selected process leads, or led', () => {
    const led = [entry(9001, 1, 9001, ['mine']), entry(9002, 1, 9001)];
    expect(selected(led)).toEqual([9001, 9002]);
    const leaderless = [entry(9003, 1, 9000, ['mine']), entry(9004, 1, 9000)];
    expect(selected(leaderless)).toEqual([9003, 9004]);
  });

  it("leaves a stranger's session alone, even when one of ours is in it", () => {
    expect(selected([entry(9001, 1, 9001), entry(9002, 1, 9001, ['mine']), entry(9003, 9001, 9001)])).toEqual([9002]);
  });

  it('takes a root only with its start time', () => {
    const processes = [entry(9001, 1, 9001), entry(9002, 9001, 9002)];
    expect(selected(processes, { root: { pid: 9001, startTime: '5' } })).toEqual([9001, 9002]);
    expect(selected(processes, { root: { pid: 9001, startTime: '6' } })).toEqual([]);
  });

  it('leaves out a group, but not what it started', () => {
    const processes = [entry(9001, 1, 9001, ['mine']), entry(9002, 9001, 9001), entry(9003, 9002, 9003)];
    expect(selected(processes, { exceptGroup: 9001 })).toEqual([9003]);
  });

  it('never takes this process', () => {
    expect(selected([entry(process.pid, 1, 1, ['mine']), entry(9002, process.pid, 9002)])).toEqual([]);
  });
});

describe('endProcesses', () => {
  it('reports what it cannot end, and looks again only after a pause', async () => {
    let looks = 0;
    const survivors = await endProcesses({
      // Its start time is wrong: no signal is ever sent.
      find: async () => [entry(process.pid, 1, 1)],
      graceMs: 0,
      killingMs: 100,
      hurry: new AbortController().signal,
      over: Promise.resolve().then(() => {
        looks += 1;
      }),
    });
    expect(survivors).toEqual([process.pid]);
    expect(looks).toBe(1);
  });
});

describe('parseProcessStat', () => {
  it('reads past names with blanks and brackets', () => {
    const fields = ['S', '12', '34', '56', ...Array.from({ length: 15 }, () => '0'), '789', '0'];
    expect(parseProcessStat(`42 (a (b) c) ${fields.join(' ')}\n`)).toEqual({
      pid: 42,
      parent: 12,
      group: 34,
      session: 56,
      startTime: '789',
      isZombie: false,
      isStopped: false,
    });
  });

  it.each(['', 'x', '42 (sh) S 1 2'])('takes %j as no process', (text) => {
    expect(parseProcessStat(text)).toBeUndefined();
  });
});

describe('process table', () => {
  it('finds this process', async () => {
    const processes = await createProcessTable().snapshot();
    expect(processes.find(({ pid }) => pid === process.pid)?.parent).toBe(process.ppid);
  });

  it('gives callers that come together one look, never an older one', async () => {
    const table = createProcessTable();
    const first = table.snapshot();
    const [second, third] = [table.snapshot(), table.snapshot()];
    expect(await second).toBe(await third);
    expect(await second).not.toBe(await first);
  });

  it('adds cookies to inherited ones', () => {
    const once = withProcessCookies({ A: 'b' }, ['job', 'stage']);
    expect(once).toEqual({ A: 'b', MILLRACE_PROCESS_COOKIES: 'job,stage' });
    expect(withProcessCookies(once, ['inner'])['MILLRACE_PROCESS_COOKIES']).toBe('job,stage,inner');
  });
});
