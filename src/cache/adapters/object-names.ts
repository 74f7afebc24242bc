/**
 * How a name is written where the service or its library gives some signs a meaning, so that both the Go runner's
 * helper and ours find each other's objects (spec cache-artifacts.md §9.4).
 */
export function s3ObjectName(name: string): string {
  return name.replace(/[\x00-\x1f]|(?<=\.\.)\//g, hexForm);
}

export function azureBlobName(name: string): string {
  return name.replace(/[\x00-\x1f"#%?\\\x7f]|(?<=\.\.)\/|\/$/g, hexForm);
}

function hexForm(sign: string): string {
  return `__0x${(sign.codePointAt(0) ?? 0).toString(16)}__`;
}

/** A name or value of S3's metadata. */
export function s3Metadata(text: string, isKey: boolean): string {
  const encoded = encodePathSegment(text);
  return isKey ? encoded.replace(/[@:=]/g, hexForm) : encoded;
}

export function azureMetadataKey(key: string): string {
  return key.replace(/[^A-Za-z0-9_]|^[0-9]/gu, hexForm);
}

/** The text before a `…Metadata` form was made of it. */
export function readHexForms(text: string): string {
  return text.replace(/__0x([0-9a-f]+)__/gi, (whole, digits: string) => {
    const code = Number.parseInt(digits, 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

/** As Go escapes one segment of a path. */
export function encodePathSegment(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
    .replace(/%(24|26|2B|3A|3D|40)/g, (code) => decodeURIComponent(code));
}

export function decodeText(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
