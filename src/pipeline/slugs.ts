import { createHash } from 'node:crypto';

const MAX_SLUG_LENGTH = 63;
const MAX_ENVIRONMENT_SLUG_LENGTH = 24;

/** GitLab's slug of a ref, path or job name (spec local-pipeline.md §13): one `-` for every other character. */
export function slug(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '-')
    .slice(0, MAX_SLUG_LENGTH)
    .replaceAll(/^-+|-+$/g, '');
}

/** `CI_ENVIRONMENT_SLUG`: short, starts with a letter, and different for names that look alike. */
export function environmentSlug(name: string): string {
  const plain = name.toLowerCase().replaceAll(/[^a-z0-9]/g, '-');
  const slugified = (/^[a-z]/.test(plain) ? plain : `env-${plain}`).replaceAll(/-+/g, '-');
  if (slugified.length <= MAX_ENVIRONMENT_SLUG_LENGTH && slugified === name) return slugified.replace(/-$/, '');
  const short = slugified.slice(0, 17);
  const digest = BigInt(`0x${createHash('sha256').update(name).digest('hex')}`).toString(36);
  return `${short}${short.endsWith('-') ? '' : '-'}${digest.slice(-6)}`;
}

/** GitLab's guess of an environment's tier from its name. */
export function guessTier(name: string): string {
  if (/dev|review|trunk/i.test(name)) return 'development';
  if (/test|tst|int|ac(ce|)pt|qa|qc|control|quality/i.test(name)) return 'testing';
  if (/st(a|)g|mod(e|)l|pre|demo|non/i.test(name)) return 'staging';
  if (/pr(o|)d|live/i.test(name)) return 'production';
  return 'other';
}

/** `CI_JOB_GROUP_NAME`: a job's name without what tells its parallel instances apart. */
export function jobGroupName(name: string): string {
  return name.replace(/([\b\s:]+((\[.*\])|(\d+[\s:/\\]+\d+))){1,3}\s*$/, '').trim();
}
