import { needs } from '../../support/needs.ts';
import { azuriteSubject } from './subjects.ts';
import { describeCacheStore } from './suite.ts';

const traits = { isRemote: true, access: 'direct', seesUploaded: true, accessEnds: true } as const;

describeCacheStore('Azurite', traits, needs('azurite') && needs('openssl'), azuriteSubject);
