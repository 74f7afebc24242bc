import { describe, expect, it } from 'vitest';
import { azureBlobName, azureMetadataKey, readHexForms, s3Metadata, s3ObjectName } from './object-names.ts';

describe('names that stores take', () => {
  it('are written as the Go runner’s helper writes them', () => {
    expect(s3ObjectName('a\x01b/../c/"#%?')).toBe('a__0x1__b/..__0x2f__c/"#%?');
    expect(azureBlobName('a\\b"#%?\x7f/../c/')).toBe(
      'a__0x5c__b__0x22____0x23____0x25____0x3f____0x7f__/..__0x2f__c__0x2f__',
    );
    expect(s3Metadata('a@:=ü', true)).toBe('a__0x40____0x3a____0x3d__%C3%BC');
    expect(s3Metadata('a@:=$&+ ü/', false)).toBe('a@:=$&+%20%C3%BC%2F');
    expect(azureMetadataKey('1-aü_Z')).toBe('__0x31____0x2d__a__0xfc___Z');
  });

  it('are read back', () => {
    expect(readHexForms(azureMetadataKey('1-aü_Z'))).toBe('1-aü_Z');
    expect(readHexForms('__0xffffffff__')).toBe('__0xffffffff__');
  });
});
