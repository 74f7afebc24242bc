import { expect, it } from 'vitest';
import * as forms from './line-forms.ts';

it('writes every line as users and tools know it', () => {
  const atMs = Date.UTC(2026, 0, 2, 3, 4, 5, 999);
  expect({
    print: forms.printLine('Using Docker executor with image alpine:3 ...'),
    info: forms.infoLine('Job succeeded'),
    warning: forms.warningLine('Retrying...'),
    error: forms.errorLine('Job failed: exit code 1'),
    title: forms.sectionTitle('Preparing environment'),
    start: forms.sectionStartMark('prepare_script', atMs),
    end: forms.sectionEndMark('prepare_script', atMs),
    notice: forms.overLimitNotice(4096),
  }).toEqual({
    print: '\x1b[0KUsing Docker executor with image alpine:3 ...\x1b[0;m\n',
    info: '\x1b[32;1mJob succeeded\x1b[0;m\n',
    warning: '\x1b[0;33mWARNING: Retrying...\x1b[0;m\n',
    error: '\x1b[31;1mERROR: Job failed: exit code 1\x1b[0;m\n',
    title: '\x1b[0K\x1b[36;1mPreparing environment\x1b[0;m\x1b[0;m\n',
    start: 'section_start:1767323045:prepare_script\r\x1b[0K',
    end: 'section_end:1767323045:prepare_script\r\x1b[0K',
    notice:
      "\n\x1b[33;1mJob's log exceeded limit of 4096 bytes.\n" +
      'Job execution will continue but no more output will be collected.\x1b[0;m\n',
  });
});
