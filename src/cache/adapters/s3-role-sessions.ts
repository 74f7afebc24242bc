import { AbortReason } from '../../lib/abort.ts';
import { ExternalDependencyError, errorMessage } from '../../lib/errors.ts';
import { assumeRole } from './aws-sts.ts';
import type { CacheStorePorts } from './cache-store.ts';
import type { S3Settings } from './s3-endpoint.ts';
import { type SessionScope, sessionPolicy } from './s3-session-policy.ts';
import type { AwsCredentials } from './sigv4.ts';
import { createSlots } from './slots.ts';

export interface RoleSessions {
  /** Credentials of a role for one object and one action. @throws ExternalDependencyError */
  assume(request: RoleRequest, credentials: AwsCredentials, signal: AbortSignal): Promise<AwsCredentials>;
}

export interface RoleRequest {
  readonly roleArn: string;
  readonly scope: SessionScope;
  readonly lifetimeMs: number;
}

const sessionSeconds = 3600;
const mostKept = 1000;
const defaultConcurrency = 5;
const minuteMs = 60_000;

/** Sessions are kept and used again while they last long enough for the job (spec cache-artifacts.md §11.1). */
export function createRoleSessions(settings: S3Settings, ports: CacheStorePorts): RoleSessions {
  const kept = new Map<string, AwsCredentials>();
  const { assumeRoleMaxConcurrency: configured } = settings;
  const slots = createSlots(configured < 0 ? Number.POSITIVE_INFINITY : configured || defaultConcurrency);
  const isCaching = !settings.disableAssumeRoleCredentialsCaching;

  function known(key: string, lifetimeMs: number): AwsCredentials | undefined {
    const session = kept.get(key);
    const needed = Math.min(55 * minuteMs, Math.max(minuteMs, lifetimeMs));
    if (session === undefined || (session.expiresAtMs ?? 0) - ports.now() < needed) return undefined;
    kept.delete(key);
    kept.set(key, session);
    return session;
  }

  function keep(key: string, session: AwsCredentials): void {
    kept.delete(key);
    kept.set(key, session);
    const [oldest] = kept.keys();
    if (kept.size > mostKept && oldest !== undefined) kept.delete(oldest);
  }

  return {
    assume: async ({ roleArn, scope, lifetimeMs }, credentials, signal) => {
      const key = JSON.stringify([roleArn, scope.bucket, scope.object, scope.direction]);
      const session = isCaching ? known(key, lifetimeMs) : undefined;
      if (session !== undefined) return session;
      const role = {
        roleArn,
        sessionName: `gitlab-runner-cache-upload-${ports.randomHex(4)}`,
        durationSeconds: sessionSeconds,
        policy: sessionPolicy(scope),
      };
      const startedAtMs = ports.now();
      try {
        const client = { ...ports, region: scope.region };
        const fresh = await slots.run(() => assumeRole(role, credentials, client, signal), signal);
        if (isCaching) keep(key, fresh);
        return fresh;
      } catch (error) {
        if (signal.aborted || error instanceof AbortReason) throw error;
        const seconds = ((ports.now() - startedAtMs) / 1000).toFixed(2);
        throw new ExternalDependencyError(`failed to assume role (took ${seconds}s): ${errorMessage(error)}`, {
          cause: error,
        });
      }
    },
  };
}
