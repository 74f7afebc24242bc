import { describe } from 'vitest';
import { hasDocker } from '../../support/docker-daemon.ts';
import { dockerSubject } from './docker-subject.ts';
import { describeExecutor } from './suite.ts';

describe.skipIf(!hasDocker())('with a daemon', () => describeExecutor(dockerSubject));
