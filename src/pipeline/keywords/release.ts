import { type Entry, type Fields, fieldsOf } from '../yaml/reader.ts';

export interface ReleaseLink {
  readonly name: string;
  readonly url: string;
  readonly filepath: string | undefined;
  readonly linkType: string | undefined;
}

/** `release` (spec local-pipeline.md §9.2); texts are expanded by the runner. */
export interface ReleaseConfig {
  readonly tagName: string;
  readonly description: string;
  readonly tagMessage: string | undefined;
  readonly name: string | undefined;
  readonly ref: string | undefined;
  readonly milestones: readonly string[];
  readonly releasedAt: string | undefined;
  readonly links: readonly ReleaseLink[];
}

const KEYS = new Set(['tag_name', 'tag_message', 'name', 'ref', 'description', 'milestones', 'released_at', 'assets']);
const ASSETS_KEYS = new Set(['links']);
const LINK_KEYS = new Set(['name', 'url', 'filepath', 'link_type']);

/** Reads `release`. */
export function readRelease(entry: Entry): ReleaseConfig | undefined {
  const fields = fieldsOf(entry, KEYS);
  if (fields === undefined) return undefined;
  const tagName = fields.required('tag_name');
  const description = fields.required('description');
  const assets = fields.entry('assets');
  const rest = {
    tagMessage: fields.string('tag_message'),
    name: fields.string('name'),
    ref: fields.string('ref'),
    milestones: fields.stringOrStrings('milestones') ?? [],
    releasedAt: fields.string('released_at'),
    links: assets === undefined ? [] : readLinks(assets),
  };
  return tagName === undefined || description === undefined ? undefined : { tagName, description, ...rest };
}

function readLinks(entry: Entry): readonly ReleaseLink[] {
  const fields = fieldsOf(entry, ASSETS_KEYS);
  const links = fields?.get('links');
  if (fields === undefined || links === undefined) return [];
  if (links.kind !== 'list') {
    fields.problem('links', 'should be an array of hashes');
    return [];
  }
  return links.items.flatMap((node) => {
    const link = fieldsOf({ ...entry, node, location: `${entry.location}:links:link` }, LINK_KEYS);
    return link === undefined ? [] : (readLink(link) ?? []);
  });
}

function readLink(fields: Fields): ReleaseLink | undefined {
  const name = fields.required('name');
  const url = fields.required('url');
  if (name === undefined || url === undefined) return undefined;
  return { name, url, filepath: fields.string('filepath'), linkType: fields.string('link_type') };
}
