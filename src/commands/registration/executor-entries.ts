import { isList, type TomlValue } from '../../config/edit/toml-text.ts';
import { type Entry, filledFrom, textAt, valueAt, without, withValueAt } from './entry.ts';
import { decimalValue } from './runner-options.ts';

interface ExecutorFacts {
  /** Tables of the entry that belong to it. */
  readonly tables: readonly string[];
}

/** Executors by their name in config.toml, in the order in which they are offered (spec executors-other.md). */
const executors: Readonly<Record<string, ExecutorFacts>> = {
  shell: { tables: [] },
  docker: { tables: ['docker'] },
  kubernetes: { tables: ['kubernetes'] },
  'docker-windows': { tables: ['docker'] },
  'docker-autoscaler': { tables: ['docker'] },
  instance: { tables: [] },
  ssh: { tables: ['ssh'] },
  custom: { tables: ['custom'] },
  'docker+machine': { tables: ['docker', 'machine'] },
  virtualbox: { tables: ['virtualbox', 'ssh'] },
  parallels: { tables: ['parallels', 'ssh'] },
};

const tablesOfExecutors = ['kubernetes', 'machine', 'docker', 'ssh', 'parallels', 'virtualbox', 'custom'];

export const executorNames: readonly string[] = Object.keys(executors);

/** Keys that stand in every entry, as the Go runner writes them. */
const alwaysWritten: Readonly<Record<string, Entry>> = {
  docker: {
    tls_verify: false,
    image: '',
    privileged: false,
    disable_entrypoint_overwrite: false,
    oom_kill_disable: false,
    disable_cache: false,
    shm_size: 0,
    network_mtu: 0,
  },
  kubernetes: {
    host: '',
    bearer_token_overwrite_allowed: false,
    image: '',
    namespace: '',
    namespace_overwrite_allowed: '',
  },
  machine: {
    IdleCount: 0,
    IdleScaleFactor: decimalValue(0),
    IdleCountMin: 0,
    MachineDriver: '',
    MachineName: '',
  },
  parallels: { base_name: '', disable_snapshots: false },
  virtualbox: { base_name: '', base_folder: '', disable_snapshots: false, start_type: '' },
};

const cacheTable: Entry = { MaxUploadedArchiveSize: 0, s3: { AssumeRoleMaxConcurrency: 0 }, gcs: {}, azure: {} };

/** The entry as it is written for its executor: other executors' tables are gone, its own complete. */
export function entryForExecutor(entry: Entry, operatingSystem: string): Entry {
  const name = textAt(entry, 'executor');
  const tables = executors[name]?.tables ?? [];
  const dropped = tablesOfExecutors.filter((table) => !tables.includes(table));
  let own = filledFrom(without(entry, [...dropped, 'referees']), { cache: cacheTable }, () => true);
  for (const table of tables) own = filledFrom(own, { [table]: alwaysWritten[table] ?? {} }, () => true);
  if (name === 'docker-windows') return withCacheVolume(withShell(own, 'pwsh'), 'c:\\cache');
  if (tables.includes('docker')) return withCacheVolume(own, '/cache');
  return name === 'shell' && operatingSystem === 'win32' ? withShell(own, 'pwsh') : own;
}

function withShell(entry: Entry, shell: string): Entry {
  return textAt(entry, 'shell') === '' ? withValueAt(entry, ['shell'], shell) : entry;
}

function withCacheVolume(entry: Entry, folder: string): Entry {
  if (valueAt(entry, ['docker', 'disable_cache']) === true) return entry;
  const value: TomlValue = valueAt(entry, ['docker', 'volumes']) ?? [];
  const volumes = isList(value) ? value.filter((volume) => typeof volume === 'string') : [];
  const isThere = volumes.some((volume) =>
    folder.startsWith('/') ? volume.split(':').at(-1) === folder : volume.includes(folder),
  );
  return isThere ? entry : withValueAt(entry, ['docker', 'volumes'], [...volumes, folder]);
}
