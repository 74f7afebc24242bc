import type { AST } from 'toml-eslint-parser';

/** Where the parts of a TOML document stand in its text. */
export type Layout = TableLayout | ArrayLayout | ValueLayout;

export interface TableLayout {
  readonly kind: 'table';
  readonly entries: Map<string, Layout>;
  /** Its own header, or the top of the file. */
  section: AST.TOMLTable | AST.TOMLTopLevelTable | undefined;
  /** The table is written `{ … }`. */
  inline: AST.TOMLInlineTable | undefined;
  /** The last dotted key that goes through the table, and how many of its names lead to it. */
  dotted: { readonly keyValue: AST.TOMLKeyValue; readonly depth: number } | undefined;
  /** Headers of it and of everything below it, in the order of the file. */
  readonly sections: AST.TOMLTable[];
  keyValue: AST.TOMLKeyValue | undefined;
}

export interface ArrayLayout {
  readonly kind: 'array';
  readonly items: Layout[];
  /** The array is written `[ … ]`; else it is made of `[[headers]]`. */
  inline: AST.TOMLArray | undefined;
  keyValue: AST.TOMLKeyValue | undefined;
}

export interface ValueLayout {
  readonly kind: 'value';
  readonly node: AST.TOMLContentNode;
  readonly keyValue: AST.TOMLKeyValue | undefined;
}

export function layoutOf(program: AST.TOMLProgram): TableLayout {
  const [top] = program.body;
  const root = newTable();
  root.section = top;
  for (const item of top.body) {
    if (item.type === 'TOMLKeyValue') addKeyValue(root, item);
    else addSection(root, item);
  }
  return root;
}

function newTable(): TableLayout {
  return {
    kind: 'table',
    entries: new Map(),
    section: undefined,
    inline: undefined,
    dotted: undefined,
    sections: [],
    keyValue: undefined,
  };
}

function addSection(root: TableLayout, section: AST.TOMLTable): void {
  let place: Layout = root;
  root.sections.push(section);
  for (const [index, key] of section.resolvedKey.entries()) {
    const isArrayNext = typeof section.resolvedKey[index + 1] === 'number';
    const next: Layout = child(place, key, isArrayNext);
    if (next.kind === 'table') next.sections.push(section);
    place = next;
  }
  if (place.kind !== 'table') return;
  place.section = section;
  for (const item of section.body) addKeyValue(place, item);
}

function child(parent: Layout, key: string | number, isArray: boolean): Layout {
  if (parent.kind === 'value') return parent;
  const known = parent.kind === 'table' ? parent.entries.get(String(key)) : parent.items[Number(key)];
  if (known !== undefined) return known;
  const made: Layout = isArray ? { kind: 'array', items: [], inline: undefined, keyValue: undefined } : newTable();
  if (parent.kind === 'table') parent.entries.set(String(key), made);
  else parent.items[Number(key)] = made;
  return made;
}

function addKeyValue(table: TableLayout, item: AST.TOMLKeyValue): void {
  const names = item.key.keys.map((key) => (key.type === 'TOMLBare' ? key.name : key.value));
  let parent: Layout = table;
  for (const [index, name] of names.slice(0, -1).entries()) {
    parent = child(parent, name, false);
    if (parent.kind === 'table') parent.dotted = { keyValue: item, depth: index + 1 };
  }
  if (parent.kind === 'table') parent.entries.set(names.at(-1) ?? '', contentLayout(item.value, item));
}

function contentLayout(node: AST.TOMLContentNode, keyValue: AST.TOMLKeyValue | undefined): Layout {
  if (node.type === 'TOMLArray') {
    const items = node.elements.map((element) => contentLayout(element, undefined));
    return { kind: 'array', items, inline: node, keyValue };
  }
  if (node.type === 'TOMLInlineTable') {
    const table = newTable();
    table.inline = node;
    table.keyValue = keyValue;
    for (const item of node.body) addKeyValue(table, item);
    return table;
  }
  return { kind: 'value', node, keyValue };
}
