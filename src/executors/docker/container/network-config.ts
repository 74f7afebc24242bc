import { JobConfigurationError } from '../../../lib/errors.ts';
import type { ContainerConfig, EndpointSettings } from '../api/requests.ts';

export interface NetworkFacts {
  /** `HostConfig.NetworkMode`; empty = the daemon's default bridge. */
  readonly mode: string;
  /** From API 1.44 a container's MAC address is one of its endpoint. */
  readonly hasEndpointAddress: boolean;
  /** `mac_address` of the configuration. */
  readonly macAddress: string;
}

/** How a container is connected to its network (spec docker.md §5). @throws JobConfigurationError */
export function endpointConfig(
  network: NetworkFacts,
  aliases: readonly string[],
): Pick<ContainerConfig, 'NetworkingConfig'> {
  const isUserDefined = isUserDefinedNetwork(network.mode);
  const macAddress = network.hasEndpointAddress ? macAddressOf(network.macAddress) : '';
  if (!isUserDefined && macAddress === '') return {};
  const endpoint: EndpointSettings = {
    ...(isUserDefined ? { Aliases: aliases } : {}),
    ...(macAddress === '' ? {} : { MacAddress: macAddress }),
  };
  return { NetworkingConfig: { EndpointsConfig: { [network.mode === '' ? 'default' : network.mode]: endpoint } } };
}

export function isUserDefinedNetwork(mode: string): boolean {
  return !['', 'default', 'bridge', 'host', 'none', 'nat'].includes(mode) && !mode.startsWith('container:');
}

function macAddressOf(text: string): string {
  if (text === '') return '';
  if (/^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(text)) return text.replaceAll('-', ':').toLowerCase();
  throw new JobConfigurationError(`invalid MAC address "${text}"`);
}
