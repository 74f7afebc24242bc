import { describe, expect, it } from 'vitest';
import { dockerSchema } from '../../../config/docker-schema.ts';
import { parseDevice, parseGpus, parseUlimits } from './devices.ts';
import { jobHostOptions, logOptions, serviceHostOptions } from './host-options.ts';
import { parseCpus, parseMemorySize } from './memory-size.ts';
import { endpointConfig } from './network-config.ts';
import { isBuildFolderMounted } from './volume-plan.ts';
import { bindText, parseVolumeSpec } from './volume-spec.ts';

describe('sizes and processors', () => {
  it.each([
    ['', undefined],
    ['512', 512],
    ['512m', 512 * 1024 ** 2],
    ['1.5G', 1.5 * 1024 ** 3],
    ['2 GiB', 2 * 1024 ** 3],
    ['64kb', 64 * 1024],
    ['-1', -1],
  ])('reads %j', (text, bytes) => {
    expect(parseMemorySize(text, 'memory')).toBe(bytes);
  });

  it('names the key of a size that is none', () => {
    expect(() => parseMemorySize('much', 'memory_swap')).toThrow('[runners.docker] memory_swap: "much" is not a size');
  });

  it.each([
    ['0.5', 500_000_000],
    ['1/4', 250_000_000],
    ['', undefined],
  ])('reads %j processors', (text, nano) => {
    expect(parseCpus(text)).toBe(nano);
  });

  it.each(['x', '1/0', '-1'])('refuses %j processors', (text) => {
    expect(() => parseCpus(text)).toThrow(`failed to parse ${text} as a rational number`);
  });
});

describe('volumes', () => {
  it.each([
    ['/cache', '', '/cache', []],
    ['/host:/dir', '/host', '/dir', []],
    ['name:/dir:ro', 'name', '/dir', ['ro']],
    ['/host:/dir:rw,z,rshared', '/host', '/dir', ['rw', 'z', 'rshared']],
    ['/host:/dir:O', '/host', '/dir', ['O']],
    ['/host:/dir:z', '/host', '/dir', ['z']],
  ])('reads %j', (text, source, destination, options) => {
    expect(parseVolumeSpec(text, 'unix')).toEqual({ source, destination, options });
  });

  it.each(['/host:/dir:nocopy', 'relative', '/a:b', '', '/a:/b:/c'])('refuses %j', (text) => {
    expect(() => parseVolumeSpec(text, 'unix')).toThrow(`invalid volume specification: ${JSON.stringify(text)}`);
  });

  it.each([
    ['C:\\host:D:\\dir:ro', 'C:\\host', 'D:\\dir', ['ro']],
    ['F:', '', 'F:', []],
    ['\\\\.\\pipe\\a:\\\\.\\pipe\\b', '\\\\.\\pipe\\a', '\\\\.\\pipe\\b', []],
  ])('reads %j of Windows', (text, source, destination, options) => {
    expect(parseVolumeSpec(text, 'windows')).toEqual({ source, destination, options });
  });

  it('writes them as the daemon reads them', () => {
    expect(bindText({ source: '/a', destination: '/b', options: ['ro', 'z'] })).toBe('/a:/b:ro,z');
    expect(bindText({ source: 'v', destination: '/b', options: [] })).toBe('v:/b');
  });

  it.each([
    [['/srv:/builds'], true],
    [['/srv:/'], true],
    [['/builds'], false],
    [['/srv:/builds/sub'], false],
  ])('knows whether %j shares the build folder', (volumes, isShared) => {
    expect(isBuildFolderMounted('/builds', volumes)).toBe(isShared);
  });
});

describe('devices and limits', () => {
  it('reads devices', () => {
    const [PathOnHost, CgroupPermissions] = ['/dev/kvm', 'rwm'];
    expect(parseDevice('/dev/kvm')).toEqual({ PathOnHost, PathInContainer: PathOnHost, CgroupPermissions });
    expect(parseDevice('/dev/kvm:/dev/x:r')).toMatchObject({ PathInContainer: '/dev/x', CgroupPermissions: 'r' });
    expect(() => parseDevice('a:b:c:d')).toThrow('failed to parse device string "a:b:c:d": too many colons');
  });

  it.each([
    [' ', []],
    ['all', [{ Count: -1, Capabilities: [['gpu']] }]],
    ['2', [{ Count: 2, Capabilities: [['gpu']] }]],
    ['"device=0,1"', [{ DeviceIDs: ['0', '1'], Capabilities: [['gpu']] }]],
    [
      'driver=nvidia,"capabilities=compute,utility"',
      [{ Driver: 'nvidia', Count: 1, Capabilities: [['compute', 'utility', 'gpu']] }],
    ],
  ])('reads GPUs %j', (text, requests) => {
    expect(parseGpus(text)).toEqual(requests);
  });

  it.each(['count=1,count=2', 'colour=red', 'count=x'])('refuses GPUs %j', (text) => {
    expect(() => parseGpus(text)).toThrow(/^parsing gpus string /);
  });

  it('reads limits', () => {
    expect(parseUlimits({ nofile: '1024:2048', core: '0' })).toEqual([
      { Name: 'nofile', Soft: 1024, Hard: 2048 },
      { Name: 'core', Soft: 0, Hard: 0 },
    ]);
  });
});

describe('host options', () => {
  const facts = {
    networkMode: '',
    binds: ['v:/builds'],
    serviceHosts: ['web:172.17.0.2'],
    usesInit: false,
    mayBePrivileged: true,
    securityOptions: [],
  };

  it('leave everything that is not configured to the daemon', () => {
    expect(jobHostOptions(dockerSchema.parse({}), facts, 'build')).toEqual({
      Binds: ['v:/builds'],
      ExtraHosts: ['web:172.17.0.2'],
      LogConfig: { Type: 'json-file', Config: { 'max-size': '1t' } },
      OomKillDisable: false,
      Privileged: false,
      RestartPolicy: { Name: 'no' },
    });
  });

  it('give each kind of container its own', () => {
    const settings = dockerSchema.parse({
      memory: '1g',
      service_memory: '1m',
      cpus: '2',
      service_cpus: '0.5',
      pid_mode: 'host',
      cap_add: ['net_admin', 'CAP_NET_ADMIN', 'all'],
      devices: ['/dev/a'],
      extra_hosts: ['a:1.1.1.1'],
      privileged: true,
      services_privileged: false,
      tmpfs: { '/t': 'rw' },
      services_tmpfs: { '/s': 'rw' },
      shm_size: 9,
      dns: ['1.1.1.1'],
    });
    const build = jobHostOptions(settings, { ...facts, usesInit: true }, 'build');
    expect(build).toMatchObject({
      Memory: 1024 ** 3,
      NanoCpus: 2e9,
      PidMode: 'host',
      CapAdd: ['ALL', 'CAP_NET_ADMIN'],
      ExtraHosts: ['a:1.1.1.1', 'web:172.17.0.2'],
      Privileged: true,
      Tmpfs: { '/t': 'rw' },
      Init: true,
      ShmSize: 9,
      Dns: ['1.1.1.1'],
    });
    const helper = jobHostOptions(settings, { ...facts, mayBePrivileged: false, usesInit: true }, 'helper');
    expect(helper).not.toHaveProperty('PidMode');
    expect(helper).not.toHaveProperty('Init');
    expect(helper.Privileged).toBe(false);
    const service = serviceHostOptions(settings, facts, ['/dev/s']);
    expect(service).toMatchObject({ Memory: 1024 ** 2, NanoCpus: 5e8, Tmpfs: { '/s': 'rw' }, Privileged: false });
    expect(service.Devices).toEqual([{ PathOnHost: '/dev/s', PathInContainer: '/dev/s', CgroupPermissions: 'rwm' }]);
    expect(service).not.toHaveProperty('CapAdd');
  });

  it('refuse what makes no sense', () => {
    const options = (keys: object) => () => jobHostOptions(dockerSchema.parse(keys), facts, 'build');
    expect(options({ isolation: 'x' })).toThrow('the isolation value "x" is not valid');
    expect(options({ dns: ['host'] })).toThrow('invalid DNS server address "host"');
    expect(() => logOptions({ tag: 'x', 'max-size': '1' })).toThrow('but found: [max-size tag]');
  });
});

describe('network endpoints', () => {
  const facts = { mode: '', hasEndpointAddress: false, macAddress: '' };

  it.each(['', 'bridge', 'host', 'none', 'container:x'])('have no names in the network %j', (mode) => {
    expect(endpointConfig({ ...facts, mode }, ['build'])).toEqual({});
  });

  it('have names in a network of their own', () => {
    expect(endpointConfig({ ...facts, mode: 'ci' }, ['build'])).toEqual({
      NetworkingConfig: { EndpointsConfig: { ci: { Aliases: ['build'] } } },
    });
  });

  it('have the address that is configured, where the daemon can', () => {
    expect(endpointConfig({ mode: '', hasEndpointAddress: true, macAddress: '92-D0-C6-0A-29-33' }, [])).toEqual({
      NetworkingConfig: { EndpointsConfig: { default: { MacAddress: '92:d0:c6:0a:29:33' } } },
    });
    expect(() => endpointConfig({ mode: '', hasEndpointAddress: true, macAddress: 'x' }, [])).toThrow(
      'invalid MAC address "x"',
    );
  });
});
