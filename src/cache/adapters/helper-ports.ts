import { randomHex } from '../../platform/random.ts';
import { readTextFile } from '../../platform/staged-file.ts';
import type { ObjectStorePorts } from '../object-store.ts';
import type { ServicePorts } from './service-ports.ts';

/** What a helper command has, for finding the identity it runs as. */
export function servicePorts({ http, environment, now }: ObjectStorePorts): ServicePorts {
  return { http, localHttp: http, environment, now, readText: readTextFile, randomHex };
}
