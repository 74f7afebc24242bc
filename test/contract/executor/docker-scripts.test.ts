import { afterEach, describe, expect, it } from 'vitest';
import { AbortReason } from '../../../src/lib/abort.ts';
import { EnvironmentLostError } from '../../../src/lib/errors.ts';
import { docker, hasDocker } from '../../support/docker-daemon.ts';
import { dockerSubject } from './docker-subject.ts';
import { eventually, type OpenJob, openJob, type RecordedStage } from './subject.ts';

/** Cases for scripts that are the first process of a container. */
describe.skipIf(!hasDocker())('scripts in containers', () => {
  const open: OpenJob[] = [];
  afterEach(async () => {
    for (const job of open.splice(0)) await job.close();
  });

  async function newJob(): Promise<OpenJob> {
    const job = await openJob(dockerSubject);
    open.push(job);
    return job;
  }

  it('keeps every byte of binary output and of a 10 MB line', async () => {
    const job = await newJob();
    const size = 10_000_000;
    const script = `printf '\\000\\001\\377\\n\\r' >&2; head -c ${size} /dev/zero | tr '\\0' 'x'`;
    const { stage } = await job.run(script);
    expect([...stage.bytes('stderr')]).toEqual([0, 1, 255, 10, 13]);
    expect(stage.bytes('stdout').equals(Buffer.alloc(size, 'x'))).toBe(true);
  });

  it('goes on from any position in output that is no text, with lines longer than an entry of the log', async () => {
    const job = await newJob();
    // Bytes of every kind, euro signs that lie across 16 KiB, and lines of many lengths.
    const script = [
      'head -c 60000 /dev/urandom',
      "i=0; while [ $i -lt 6000 ]; do printf '€'; i=$((i+1)); done; echo",
      'printf "\\342\\202"; sleep 0.2; printf "\\254 then \\377\\376 and \\342\\202\\n"',
      'head -c 40000 /dev/urandom',
    ].join('\n');
    const { stage } = await job.run(script);
    const full = job.resume(stage.handles.at(-1) ?? null, { directory: stage.directory });
    expect(await full.exit).toMatchObject({ code: 0 });
    const log = full.stage.bytes('stdout');
    expect(log.length).toBeGreaterThan(stage.bytes('stdout').length);
    const cursors = stage.cursors.filter((_, index) => index % Math.ceil(stage.cursors.length / 8) === 0);
    for (const cursor of [...cursors, stage.cursors.at(-1) ?? null]) {
      const rest = job.resume(stage.handles.at(-1) ?? null, { directory: stage.directory, cursor });
      await rest.exit;
      const [position] = cursor as readonly [number, number];
      expect(rest.stage.bytes('stdout').equals(log.subarray(position))).toBe(true);
    }
    const [end] = stage.cursors.at(-1) as readonly [number, number];
    expect(end).toBe(log.length);
  });

  it('has nothing on standard input but the script', async () => {
    const job = await newJob();
    const { stage, exit } = await job.run('cat\n');
    expect(stage.text('stdout')).toBe('');
    expect(exit.code).toBe(0);
  });

  it('lets scripts reopen their streams', async () => {
    const job = await newJob();
    const { stage } = await job.run(
      'echo 1; echo 2 >/dev/stdout; echo 3 | tee /dev/stderr; echo 4 >/dev/stderr; echo 5',
    );
    expect(stage.text('stdout')).toBe('1\n2\n3\n5\n');
    expect(stage.text('stderr')).toBe('3\n4\n');
  });

  it('gives unfinished lines while the script runs', async () => {
    const job = await newJob();
    const { stage, exit } = job.start('printf ready; until [ -e /tmp/seen ]; do sleep 0.05; done; echo " done"');
    await eventually('output of a running script', () => stage.text('stdout') === 'ready');
    docker('exec', containerOf(stage), 'touch', '/tmp/seen');
    await exit;
    expect(stage.text('stdout')).toBe('ready done\n');
  });

  it.each([
    ['exit 137', 137],
    ['exit 143', 143],
    ["sh -c 'kill -9 $$'; exit", 137],
    ['no-such-command', 127],
  ])('tells how %j ended', async (script, code) => {
    const job = await newJob();
    expect((await job.run(script)).exit).toEqual({ code, text: `exit code ${code}` });
  });

  it('delivers what a handler of SIGTERM writes', async () => {
    const job = await newJob();
    const controller = new AbortController();
    const script = "trap 'echo bye; exit 1' TERM; echo ready; while :; do sleep 0.1; done";
    const { stage, exit } = job.start(script, { signal: controller.signal });
    exit.catch(() => {});
    await eventually('the script runs', () => stage.text('stdout') === 'ready\n');
    controller.abort(new AbortReason('canceled'));
    await expect(exit).rejects.toMatchObject({ kind: 'canceled' });
    expect(stage.text('stdout')).toBe('ready\nbye\n');
  });

  it.each([
    ['killed', (id: string) => docker('kill', id), 'was killed from outside'],
    ['removed', (id: string) => docker('rm', '-f', id), 'does not exist any more'],
  ])('says so when the container is %s by somebody else', async (_how, act, text) => {
    const job = await newJob();
    const { stage, exit } = job.start('echo ready; sleep 300');
    exit.catch(() => {});
    await eventually('the script runs', () => stage.text('stdout') === 'ready\n');
    act(containerOf(stage));
    await expect(exit).rejects.toThrow(text);
    await expect(exit).rejects.toBeInstanceOf(EnvironmentLostError);
    expect((await job.run('echo again', { stage: 'after_script' })).stage.text('stdout')).toBe('again\n');
  });

  it('passes on an error of its caller, after it has ended the stage', async () => {
    const job = await newJob();
    const failure = new Error('disk full');
    const { stage, exit } = job.start('yes', {
      onWrite: () => {
        throw failure;
      },
    });
    await expect(exit).rejects.toBe(failure);
    expect(docker('ps', '-aq', '--filter', `name=${containerOf(stage)}`)).toBe('');
  });
});

function containerOf(stage: RecordedStage): string {
  return (stage.handles[0] as { readonly container: string }).container;
}
