import { createSign } from 'node:crypto';
import * as z from 'zod';
import { AbortReason } from '../../lib/abort.ts';
import { ConfigError, errorMessage } from '../../lib/errors.ts';
import { homeFile } from './aws-sources.ts';
import type { GcsSigner } from './gcs-signed-url.ts';
import { metadataToken, serviceAccountToken, signBlob, type TokenSource } from './gcs-tokens.ts';
import type { ServicePorts } from './service-ports.ts';
import { askStore } from './store-request.ts';

export interface ServiceAccount {
  readonly email: string;
  /** PEM. */
  readonly privateKey: string;
}

/** Who this process is for Google: an account with its key, or one whose key only Google has. */
export type GoogleIdentity =
  | { readonly kind: 'key'; readonly account: ServiceAccount }
  | { readonly kind: 'metadata'; readonly email: string };

const fileSchema = z.object({
  type: z.string().default(''),
  client_email: z.string().default(''),
  private_key: z.string().default(''),
});

/** Reads a JSON key file. @throws ConfigError */
export async function readKeyFile(path: string, ports: Pick<ServicePorts, 'readText'>): Promise<ServiceAccount> {
  const text = await ports.readText(path);
  if (text === undefined) throw new ConfigError(`the credentials file ${path} does not exist`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // What the parser says may quote the file.
    throw new ConfigError(`the credentials file ${path} is not JSON`, { details: { reason: (error as Error).name } });
  }
  const file = fileSchema.safeParse(value).data;
  if (file?.type !== 'service_account') {
    throw new ConfigError(`unsupported credentials file type: ${file?.type ?? ''} (${path})`, {
      hint: 'Use the JSON key of a service account, or run the manager with one attached to its machine.',
    });
  }
  return { email: file.client_email, privateKey: file.private_key };
}

/** The identity of this process: GOOGLE_APPLICATION_CREDENTIALS, gcloud's file, the metadata server. */
export async function findGoogleIdentity(ports: ServicePorts, signal: AbortSignal): Promise<GoogleIdentity> {
  const { environment } = ports;
  const named = environment['GOOGLE_APPLICATION_CREDENTIALS'] ?? '';
  if (named !== '') return { kind: 'key', account: await readKeyFile(named, ports) };
  const usual = homeFile(environment, '.config', 'gcloud', 'application_default_credentials.json');
  if ((await ports.readText(usual)) !== undefined) return { kind: 'key', account: await readKeyFile(usual, ports) };
  return { kind: 'metadata', email: await metadataEmail(ports, signal) };
}

async function metadataEmail({ localHttp, environment }: ServicePorts, signal: AbortSignal): Promise<string> {
  const url = new URL('/computeMetadata/v1/instance/service-accounts/default/email', metadataOrigin(environment));
  const request = { method: 'GET', url, headers: { 'Metadata-Flavor': 'Google' }, timeoutMs: 3_000 };
  try {
    return (await askStore(localHttp, request, { what: 'ask the machine for its service account' }, signal)).trim();
  } catch (error) {
    if (signal.aborted || error instanceof AbortReason) throw error;
    throw new ConfigError(`no Google credentials were found for the cache: ${errorMessage(error)}`, {
      cause: error,
      hint: 'Set CredentialsFile, or AccessID and PrivateKey, in [runners.cache.gcs].',
    });
  }
}

export function metadataOrigin(environment: ServicePorts['environment']): string {
  const host = environment['GCE_METADATA_HOST'] ?? '';
  return host === '' ? 'http://metadata.google.internal' : `http://${host}`;
}

/** Signs with a key that is here. @throws ConfigError for one that is none. */
export function keySigner({ email, privateKey }: ServiceAccount): GcsSigner {
  return {
    email,
    sign: async (text) => {
      try {
        return await Promise.resolve(createSign('RSA-SHA256').update(text).sign(privateKey, 'base64'));
      } catch {
        throw new ConfigError(`the private key of ${email} cannot be used to sign`, {
          hint: 'PrivateKey is the PEM text of the key, its line ends written as \\n.',
        });
      }
    },
  };
}

export function signerOf(identity: GoogleIdentity, universe: string, ports: ServicePorts): GcsSigner {
  if (identity.kind === 'key') return keySigner(identity.account);
  const token = metadataToken(ports);
  return {
    email: identity.email,
    sign: (text, signal) => signBlob({ text, email: identity.email, universe, token }, ports, signal),
  };
}

/** Access tokens for the storage API. */
export function tokensOf(identity: GoogleIdentity, universe: string, ports: ServicePorts): TokenSource {
  return identity.kind === 'key' ? serviceAccountToken(identity.account, universe, ports) : metadataToken(ports);
}
