import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { createSecureContext, type SecureContext } from 'node:tls';
import { errorMessage, systemErrorCode } from '../lib/errors.ts';
import { splitCertificates, systemCertificates } from './system-certificates.ts';

/** PEM files of one client; empty = none. */
export interface TlsFilePaths {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

export interface TlsMaterial {
  readonly context: SecureContext;
  /** Text of the CA file, where one was loaded. */
  readonly caText: string | undefined;
  readonly clientCertificate: string;
  readonly clientKey: string;
  /** Changes when one of the files changes. */
  readonly version: string;
}

/** Makes TLS contexts that trust the system's authorities and those of a CA file. Equal material shares a context. */
export interface TlsTrust {
  /**
   * Reads the files when they changed since `previous`, else returns `previous`.
   * A CA file that is missing is ignored, a bad one is reported once per change.
   * @throws Error when a client certificate or key cannot be read or used.
   */
  load(files: TlsFilePaths, previous: TlsMaterial | undefined): Promise<TlsMaterial>;
  /** Only the CA and client certificate texts, for jobs of plain-http runners. */
  readTexts(
    files: TlsFilePaths,
  ): Promise<{ readonly caText: string | undefined; readonly cert: string; readonly key: string }>;
}

export interface TlsTrustOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly reportProblem: (message: string) => void;
}

export function createTlsTrust(options: TlsTrustOptions): TlsTrust {
  const contexts = new Map<string, WeakRef<SecureContext>>();

  async function contextFor(caText: string | undefined, cert: string, key: string): Promise<SecureContext> {
    const digest = createHash('sha256')
      .update(JSON.stringify([caText, cert, key]))
      .digest('hex');
    const known = contexts.get(digest)?.deref();
    if (known !== undefined) return known;
    const authorities = [...(await systemCertificates(options.environment)), ...splitCertificates(caText ?? '')];
    const context = createSecureContext({
      ca: authorities,
      minVersion: 'TLSv1.2',
      ...(cert !== '' && key !== '' ? { cert, key } : {}),
    });
    contexts.set(digest, new WeakRef(context));
    return context;
  }

  async function readTexts(files: TlsFilePaths) {
    const caText = await readAuthorities(files.caFile, options.reportProblem);
    const hasPair = files.certFile !== '' && files.keyFile !== '';
    const cert = hasPair ? await readFile(files.certFile, 'utf8') : '';
    const key = hasPair ? await readFile(files.keyFile, 'utf8') : '';
    return { caText, cert, key };
  }

  return {
    readTexts,
    load: async (files, previous) => {
      const version = await versionOf(files);
      if (previous !== undefined && previous.version === version) return previous;
      const { caText, cert, key } = await readTexts(files);
      const context = await contextFor(caText, cert, key);
      return { context, caText, clientCertificate: cert, clientKey: key, version };
    },
  };
}

async function versionOf(files: TlsFilePaths): Promise<string> {
  const paths = [files.caFile, files.certFile, files.keyFile];
  const times = await Promise.all(paths.map(modifiedAt));
  return times.join(' ');
}

async function modifiedAt(path: string): Promise<number> {
  if (path === '') return 0;
  return (await stat(path).catch(() => undefined))?.mtimeMs ?? -1;
}

async function readAuthorities(path: string, report: (message: string) => void): Promise<string | undefined> {
  if (path === '') return undefined;
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') report(`Cannot read the CA file ${path}: ${errorMessage(error)}`);
    return undefined;
  }
  if (isUsable(text)) return text;
  report(`The CA file ${path} holds no valid PEM certificate and is ignored`);
  return undefined;
}

function isUsable(text: string): boolean {
  const certificates = splitCertificates(text);
  if (certificates.length === 0) return false;
  try {
    createSecureContext({ ca: [...certificates] });
    return true;
  } catch {
    return false;
  }
}
