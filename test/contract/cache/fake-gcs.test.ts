import { needs } from '../../support/needs.ts';
import { fakeGcsSubject } from './subjects.ts';
import { describeCacheStore } from './suite.ts';

const traits = { isRemote: true, access: 'presigned', seesUploaded: true, accessEnds: false } as const;

describeCacheStore('fake-gcs-server', traits, needs('fake-gcs-server') && needs('openssl'), fakeGcsSubject);
