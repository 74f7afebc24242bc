import { localSubject } from './subjects.ts';
import { describeCacheStore } from './suite.ts';

const traits = { isRemote: false, access: 'local', seesUploaded: false, accessEnds: false } as const;

describeCacheStore('the local folder', traits, true, localSubject);
