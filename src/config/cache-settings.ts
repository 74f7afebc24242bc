import type * as z from 'zod';
import type { cacheAzureSchema, cacheGcsSchema, cacheS3Schema } from './cache-schema.ts';
import type { CacheAzureSettings, CacheGcsSettings, CacheS3Settings } from './runner-config.ts';

export function toS3Settings(table: z.output<typeof cacheS3Schema>): CacheS3Settings {
  return {
    serverAddress: table.ServerAddress,
    accessKey: table.AccessKey,
    secretKey: table.SecretKey,
    sessionToken: table.SessionToken,
    bucketName: table.BucketName,
    bucketLocation: table.BucketLocation,
    insecure: table.Insecure,
    authenticationType: table.AuthenticationType,
    serverSideEncryption: table.ServerSideEncryption,
    serverSideEncryptionKeyId: table.ServerSideEncryptionKeyID,
    dualStack: table.DualStack,
    pathStyle: table.PathStyle,
    accelerate: table.Accelerate,
    roleArn: table.RoleARN,
    uploadRoleArn: table.UploadRoleARN,
    assumeRoleMaxConcurrency: table.AssumeRoleMaxConcurrency,
    disableAssumeRoleCredentialsCaching: table.DisableAssumeRoleCredentialsCaching,
  };
}

export function toGcsSettings(table: z.output<typeof cacheGcsSchema>): CacheGcsSettings {
  return {
    accessId: table.AccessID,
    privateKey: table.PrivateKey,
    credentialsFile: table.CredentialsFile,
    bucketName: table.BucketName,
    universeDomain: table.UniverseDomain,
  };
}

export function toAzureSettings(table: z.output<typeof cacheAzureSchema>): CacheAzureSettings {
  return {
    accountName: table.AccountName,
    accountKey: table.AccountKey,
    containerName: table.ContainerName,
    storageDomain: table.StorageDomain,
  };
}
