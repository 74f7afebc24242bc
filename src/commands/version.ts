import { compatibility, hostPlatform } from '../gitlab/compatibility.ts';
import { product } from './product.ts';

/** What `millrace --version` prints. */
export function versionText(): string {
  const { platform, architecture } = hostPlatform(process.platform, process.arch);
  const rows = [
    ['Name', product.name],
    ['Version', product.version],
    ['Compatible', `${compatibility.name} ${compatibility.version}`],
    ['Git revision', product.revision],
    ['Node version', process.version],
    ['OS/Arch', `${platform}/${architecture}`],
  ] as const;
  return rows.map(([label, value]) => `${`${label}:`.padEnd(14)}${value}\n`).join('');
}
