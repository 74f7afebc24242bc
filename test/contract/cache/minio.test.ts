import { needs } from '../../support/needs.ts';
import { minioRoleSubject, minioSubject } from './subjects.ts';
import { describeCacheStore } from './suite.ts';

const presigned = { isRemote: true, access: 'presigned', seesUploaded: true, accessEnds: true } as const;
const direct = { isRemote: true, access: 'direct', seesUploaded: false, accessEnds: false } as const;

describeCacheStore('MinIO with signed URLs', presigned, needs('minio'), minioSubject);
describeCacheStore('MinIO with a role', direct, needs('minio'), minioRoleSubject);
