import { shellSubject } from './subjects.ts';
import { describeExecutor } from './suite.ts';

describeExecutor(shellSubject);
