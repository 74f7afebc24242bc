import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { environmentFromPs, parsePsLine, statFromPs, statsFromPs } from './process-listing.ts';

describe('ps listing', () => {
  it('finds this process, alike alone and among all', async () => {
    const alone = statFromPs(process.pid);
    expect(alone).toMatchObject({ pid: process.pid, parent: process.ppid, isZombie: false });
    const among = (await statsFromPs()).find(({ pid }) => pid === process.pid);
    expect(among?.startTime).toBe(alone?.startTime);
  });

  it('finds no process that does not exist', () => {
    expect(statFromPs(99_999_999)).toBeUndefined();
  });

  it('reads one variable of other processes', async () => {
    const child = spawn('sleep', ['300'], { env: { ...process.env, LISTED_COOKIE: 'a1,b2' }, stdio: 'ignore' });
    await once(child, 'spawn');
    const values = await environmentFromPs('LISTED_COOKIE');
    child.kill('SIGKILL');
    expect(values.get(child.pid ?? 0)).toBe('a1,b2');
  });

  it.each([
    [' 12 1 12 Ss+ Mon Nov 24 13:56:28 2025', { pid: 12, parent: 1, group: 12, startTime: 'Mon Nov 24 13:56:28 2025' }],
    ['7 1 1 Z    Mon Nov  3 01:00:00 2025   ', { isZombie: true, startTime: 'Mon Nov  3 01:00:00 2025' }],
    ['7 1 1 T Mon Nov  3 01:00:00 2025', { isStopped: true }],
  ])('parses %j', (line, expected) => {
    expect(parsePsLine(line)).toMatchObject(expected);
  });

  it.each(['', 'PID PPID', '1 2 3'])('takes %j as no process', (line) => {
    expect(parsePsLine(line)).toBeUndefined();
  });
});
