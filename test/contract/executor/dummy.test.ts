import { dummySubject } from './subjects.ts';
import { describeExecutor } from './suite.ts';

describeExecutor(dummySubject);
