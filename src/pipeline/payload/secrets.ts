import type { JsonValue } from '../../lib/json.ts';
import type { SecretConfig } from '../keywords/secrets.ts';
import type { VariableScope } from '../variables/scope.ts';

type JsonMap = { readonly [key: string]: JsonValue };

/**
 * A secret in the form the runner resolves (spec protocol.md §4.12). Addresses and roles come from the job's
 * variables, as on the server. Undefined for providers that only a server can talk for.
 */
export function secretPayload(secret: SecretConfig, scope: VariableScope): JsonMap | undefined {
  const provider = providerPayload(secret, scope);
  return provider === undefined ? undefined : { file: secret.file, [secret.provider]: provider };
}

function providerPayload(secret: SecretConfig, scope: VariableScope): JsonMap | undefined {
  const value = (name: string): string => scope.value(name) ?? '';
  switch (secret.provider) {
    case 'vault':
      return vault(secret, value);
    case 'gcp_secret_manager':
      return {
        ...named(secret.source),
        server: {
          project_number: value('GCP_PROJECT_NUMBER'),
          workload_identity_federation_pool_id: value('GCP_WORKLOAD_IDENTITY_FEDERATION_POOL_ID'),
          workload_identity_federation_provider_id: value('GCP_WORKLOAD_IDENTITY_FEDERATION_PROVIDER_ID'),
          jwt: secret.token ?? '',
        },
      };
    case 'azure_key_vault':
      return {
        ...named(secret.source),
        server: {
          client_id: value('AZURE_CLIENT_ID'),
          tenant_id: value('AZURE_TENANT_ID'),
          jwt: secret.token ?? '${AZURE_JWT}',
          url: value('AZURE_KEY_VAULT_SERVER_URL'),
        },
      };
    case 'aws_secrets_manager':
      return aws(secret, value);
    case 'gitlab_secrets_manager':
    case 'akeyless':
      return undefined;
  }
  return undefined;
}

function vault(secret: SecretConfig, value: (name: string) => string): JsonMap {
  const role = value('VAULT_AUTH_ROLE');
  const server = {
    url: value('VAULT_SERVER_URL'),
    namespace: value('VAULT_NAMESPACE'),
    auth: {
      name: 'jwt',
      path: value('VAULT_AUTH_PATH') || 'jwt',
      data: { jwt: secret.token ?? '$VAULT_ID_TOKEN', ...(role === '' ? {} : { role }) },
    },
  };
  if (isMap(secret.source)) {
    const engine = isMap(secret.source['engine']) ? secret.source['engine'] : { name: 'kv-v2', path: 'kv-v2' };
    return { ...secret.source, engine, server };
  }
  const [location = '', mount = 'kv-v2'] = textOf(secret.source).split('@');
  const slash = location.lastIndexOf('/');
  return {
    server,
    engine: { name: 'kv-v2', path: mount },
    path: location.slice(0, Math.max(0, slash)),
    field: location.slice(slash + 1),
  };
}

function aws(secret: SecretConfig, value: (name: string) => string): JsonMap {
  const server = {
    region: value('AWS_REGION'),
    jwt: secret.token ?? '${AWS_ID_TOKEN}',
    role_arn: value('AWS_ROLE_ARN'),
    role_session_name: value('AWS_ROLE_SESSION_NAME'),
  };
  if (isMap(secret.source)) return { ...secret.source, server };
  const [id = '', field = ''] = textOf(secret.source).split('#');
  return { secret_id: id, field, server };
}

function named(source: JsonValue): JsonMap {
  return isMap(source) ? source : { name: textOf(source) };
}

function textOf(source: JsonValue): string {
  return typeof source === 'string' ? source : JSON.stringify(source);
}

function isMap(value: JsonValue | undefined): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
