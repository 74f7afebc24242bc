import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasProgram } from '../services/object-store-programs.ts';

interface Requirement {
  /** What is skipped, and how to have it run. */
  readonly reason: string;
  readonly isMet: () => boolean;
  /** Never required: `.ci/run` has no such thing. */
  readonly isOptional?: true;
}

/** What tests can need of the machine. A test that needs more asks `needs` and is skipped without it, with this reason. */
export const requirements = {
  'git-lfs': { reason: 'needs git-lfs (package git-lfs)', isMet: () => succeeds('git', ['lfs', 'version']) },
  busybox: { reason: 'needs busybox (package busybox)', isMet: () => succeeds('busybox', ['true']) },
  script: { reason: 'needs script (package bsdutils)', isMet: () => succeeds('script', ['--version']) },
  dash: { reason: 'needs dash (package dash)', isMet: () => succeeds('dash', ['-c', 'true']) },
  openssl: { reason: 'needs openssl (package openssl)', isMet: () => succeeds('openssl', ['version']) },
  strip: { reason: 'needs strip (package binutils)', isMet: () => succeeds('strip', ['--version']) },
  gcc: { reason: 'needs gcc (package gcc)', isMet: () => succeeds('gcc', ['--version']) },
  root: {
    reason: 'needs root and su, to switch accounts',
    isMet: () => process.getuid?.() === 0 && succeeds('su', ['--version']),
  },
  tmpfs: { reason: 'needs root and the right to mount, for a small file system', isMet: canMount },
  binary: {
    reason: 'needs the built program (npm run build)',
    isMet: () => existsSync(new URL('../../dist/millrace', import.meta.url)),
  },
  'minbase-root': {
    reason: 'needs a Debian minbase root made with debootstrap; set MILLRACE_MINBASE to its path (and root)',
    isMet: () => isPresent(process.env['MILLRACE_MINBASE']) && process.getuid?.() === 0,
  },
  minio: { reason: 'needs MinIO (.ci/object-stores FOLDER; MILLRACE_OBJECT_STORES)', isMet: () => hasProgram('minio') },
  azurite: {
    reason: 'needs azurite (.ci/object-stores FOLDER; MILLRACE_OBJECT_STORES)',
    isMet: () => hasProgram('azurite'),
  },
  'fake-gcs-server': {
    reason: 'needs fake-gcs-server (.ci/object-stores FOLDER; MILLRACE_OBJECT_STORES)',
    isMet: () => hasProgram('fake-gcs-server'),
  },
  docker: {
    reason:
      'needs a Docker daemon with the images busybox:test and debian:test (test/services/docker-daemon.ts); set MILLRACE_TEST_DOCKER to its address, like unix:///…',
    isMet: () =>
      isPresent(process.env['MILLRACE_TEST_DOCKER']?.replace(/^unix:\/\//, '')) &&
      succeeds('docker', [
        '--host',
        process.env['MILLRACE_TEST_DOCKER'] ?? '',
        'image',
        'inspect',
        'busybox:test',
        'debian:test',
      ]),
  },
  'docker-registry': {
    reason: 'needs docker-registry (package docker-registry)',
    isMet: () => succeeds('docker-registry', ['--version']),
  },
  sshd: {
    reason: 'needs sshd and ssh (package openssh-server)',
    isMet: () => succeeds('sh', ['-c', 'command -v sshd ssh ssh-keygen']),
  },
  peer: {
    reason: 'compares with the Go runner; set MILLRACE_PEER to the path of its program',
    isMet: () => isPresent(process.env['MILLRACE_PEER']),
    isOptional: true,
  },
  'peer-helper': {
    reason: "compares with the Go runner's helper; set MILLRACE_PEER_HELPER to the path of its program",
    isMet: () => isPresent(process.env['MILLRACE_PEER_HELPER']),
    isOptional: true,
  },
} as const satisfies Record<string, Requirement>;

export type RequirementName = keyof typeof requirements;

/**
 * Whether this machine has what a test needs: `describe.skipIf(!needs('git-lfs'))(…)`.
 * @throws where everything is required (MILLRACE_REQUIRE_ALL) and it has not: CI skips nothing but the peer.
 */
export function needs(name: RequirementName): boolean {
  const requirement: Requirement = requirements[name];
  if (requirement.isMet()) return true;
  if (process.env['MILLRACE_REQUIRE_ALL'] === '1' && requirement.isOptional !== true) {
    throw new Error(`required here, but missing: ${requirement.reason}`);
  }
  return false;
}

function succeeds(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

function canMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const folder = mkdtempSync(join(tmpdir(), 'mount-'));
  try {
    return succeeds('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]) && succeeds('umount', [folder]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function isPresent(path: string | undefined): boolean {
  return path !== undefined && path !== '' && existsSync(path);
}
