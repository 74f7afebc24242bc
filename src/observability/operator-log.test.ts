import { describe, expect, it } from 'vitest';
import { openOperatorLog } from './operator-log.ts';

async function openRecorded() {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line), flush: () => {} };
  const log = await openOperatorLog({ level: 'info', format: 'json', isTerminal: false, destination });
  return { log, lines, messages: () => lines.map((line) => (JSON.parse(line) as { msg: string }).msg) };
}

describe('openOperatorLog', () => {
  it('leaves out what is below the level, also in children made before a change', async () => {
    const { log, messages } = await openRecorded();
    const child = log.logger.child({ runner: 'a' });
    child.debug('hidden');
    log.setLevel('debug');
    child.debug('shown');
    log.setLevel('error');
    child.warn('hidden too');
    log.fatal('always shown');
    expect(messages()).toEqual(['shown', 'always shown']);
  });

  it('adds the fields of parents and drops those that are undefined', async () => {
    const { log, lines } = await openRecorded();
    log.logger.child({ runner: 'a' }).child({ job: 1 }).info('hello', { stage: 's', absent: undefined });
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ runner: 'a', job: 1, stage: 's', level: 'info', msg: 'hello' });
    expect(lines[0]).not.toContain('absent');
  });

  it('switches the format', async () => {
    const { log, lines } = await openRecorded();
    log.setFormat('runner');
    log.logger.warn('odd', { a: 1 });
    expect(lines).toEqual([`${'WARNING: odd'.padEnd(50)}  a=1\n`]);
  });
});
