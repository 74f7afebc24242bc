import { needs } from '../../support/needs.ts';
import { ossSubject } from './subjects.ts';
import { describeCacheStore } from './suite.ts';

const traits = { isRemote: true, access: 'presigned', seesUploaded: true, accessEnds: true } as const;

describeCacheStore('a strict OSS', traits, needs('openssl'), ossSubject);
