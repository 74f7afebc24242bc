import { expect, test } from 'vitest';
import { jobTokenOf } from './credentials.ts';
import { routeOf } from './routes.ts';
import { parseUploadPackRequest } from './upload-pack-request.ts';

const oid = 'a'.repeat(40);
const packets = (...lines: string[]): Buffer =>
  Buffer.from(
    lines.map((line) => (line === '' ? '0000' : (line.length + 4).toString(16).padStart(4, '0') + line)).join(''),
  );

test('wants are found in all forms', () => {
  const first = packets(
    `want ${oid.toUpperCase()} multi_ack_detailed side-band-64k agent=git/2\n`,
    `want ${'b'.repeat(40)}\n`,
    'deepen 20\n',
    '',
    'done\n',
  );
  expect(parseUploadPackRequest(first).wants).toEqual([oid, 'b'.repeat(40)]);
  const second = Buffer.concat([
    packets('command=fetch', 'agent=git/2.39', 'object-format=sha256'),
    Buffer.from('0001'),
    packets('thin-pack', `want ${'c'.repeat(64)}\n`, `have ${oid}\n`, 'done\n', ''),
  ]);
  expect(parseUploadPackRequest(second).wants).toEqual(['c'.repeat(64)]);
});

test.each([
  packets('want-ref refs/heads/main\n'),
  packets('command=object-info', 'size'),
  packets(`want ${'a'.repeat(39)}\n`),
  packets(`want  ${oid}\n`),
  packets(`xwant ${oid}\n`),
  Buffer.from('00'),
  Buffer.from('0003'),
  Buffer.from('zzzz'),
  Buffer.from(`0fff${oid}`),
])('%j is refused', (body) => {
  expect(() => parseUploadPackRequest(body)).toThrow();
});

test('routes', () => {
  expect(routeOf('GET', '/group/app.git/info/refs?service=git-upload-pack')).toEqual({
    kind: 'info_refs',
    path: 'group/app',
  });
  expect(routeOf('GET', '/group/app/info/refs?service=git-receive-pack')).toEqual({ kind: 'push', path: 'group/app' });
  expect(routeOf('POST', '/a/b.git/-/submodules/1/git-upload-pack')).toEqual({
    kind: 'upload_pack',
    path: 'a/b.git/-/submodules/1',
  });
  expect(routeOf('POST', '/a/b.git/-/submodules/1.git/info/lfs/objects/batch')).toEqual({
    kind: 'lfs_batch',
    path: 'a/b.git/-/submodules/1',
  });
  expect(routeOf('GET', `/a/b.git/info/lfs/objects/${'f'.repeat(64)}`)).toEqual({
    kind: 'lfs_object',
    path: 'a/b',
    oid: 'f'.repeat(64),
  });
  expect(routeOf('POST', '/a/b.git/info/lfs/locks/verify')).toEqual({ kind: 'lfs_unknown', path: 'a/b' });
  expect(routeOf('GET', '/a/b.git/objects/info/packs')).toBeUndefined();
  expect(routeOf('GET', '/a/b.git/info/refs')).toBeUndefined();
  expect(routeOf('GET', '/%zz.git/info/refs?service=git-upload-pack')).toBeUndefined();
});

test('credentials', () => {
  const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
  expect(jobTokenOf(basic('gitlab-ci-token:a:b'))).toBe('a:b');
  expect(jobTokenOf(basic('other:a'))).toBeUndefined();
  expect(jobTokenOf(basic('gitlab-ci-token'))).toBeUndefined();
  expect(jobTokenOf('Bearer x')).toBeUndefined();
});
