/** The node before anything was read; also says "no such child". */
export const ROOT = 0;

const NO_ROW = -1;
const BYTE_VALUES = 256;

/**
 * Phrases as a tree of bytes. A node with a single child costs a few bytes, only branching nodes have a full row:
 * masked files of many kilobytes stay cheap.
 */
export class PhraseTrie {
  readonly size: number;
  /** Per node: number of bytes from the root. */
  readonly depth: Int32Array;
  /** Per node: index of a phrase that begins with the node's bytes. */
  readonly phraseOf: Int32Array;
  /** Per node: 1 where a phrase ends. */
  readonly isEnd: Uint8Array;
  /** The only child's byte and node; unused where there is a row. */
  readonly #onlyByte: Int16Array;
  readonly #onlyChild: Int32Array;
  readonly #rowOf: Int32Array;
  #rows = new Int32Array(BYTE_VALUES);
  #rowCount = 0;

  constructor(phrases: readonly Uint8Array[]) {
    const capacity = phrases.reduce((sum, phrase) => sum + phrase.length, 1);
    this.depth = new Int32Array(capacity);
    this.phraseOf = new Int32Array(capacity);
    this.isEnd = new Uint8Array(capacity);
    this.#onlyByte = new Int16Array(capacity).fill(-1);
    this.#onlyChild = new Int32Array(capacity);
    this.#rowOf = new Int32Array(capacity).fill(NO_ROW);
    this.#addRow(ROOT);
    let size = 1;
    for (const [index, phrase] of phrases.entries()) {
      let node = ROOT;
      for (const byte of phrase) {
        let next = this.child(node, byte);
        if (next === ROOT) {
          next = size++;
          this.depth[next] = (this.depth[node] as number) + 1;
          this.phraseOf[next] = index;
          this.#addChild(node, byte, next);
        }
        node = next;
      }
      this.isEnd[node] = 1;
    }
    this.size = size;
  }

  /** ROOT = there is none. */
  child(node: number, byte: number): number {
    const row = this.#rowOf[node] as number;
    if (row >= 0) return this.#rows[row + byte] as number;
    return this.#onlyByte[node] === byte ? (this.#onlyChild[node] as number) : ROOT;
  }

  hasChildren(node: number): boolean {
    return node === ROOT || (this.#rowOf[node] as number) >= 0 || (this.#onlyByte[node] as number) >= 0;
  }

  *children(node: number): Generator<readonly [byte: number, child: number]> {
    const row = this.#rowOf[node] as number;
    if (row < 0) {
      const byte = this.#onlyByte[node] as number;
      if (byte >= 0) yield [byte, this.#onlyChild[node] as number];
      return;
    }
    for (let byte = 0; byte < BYTE_VALUES; byte++) {
      const child = this.#rows[row + byte] as number;
      if (child !== ROOT) yield [byte, child];
    }
  }

  #addChild(node: number, byte: number, child: number): void {
    if ((this.#rowOf[node] as number) < 0) {
      const other = this.#onlyByte[node] as number;
      if (other < 0) {
        this.#onlyByte[node] = byte;
        this.#onlyChild[node] = child;
        return;
      }
      this.#addRow(node);
      this.#rows[(this.#rowOf[node] as number) + other] = this.#onlyChild[node] as number;
    }
    this.#rows[(this.#rowOf[node] as number) + byte] = child;
  }

  #addRow(node: number): void {
    const start = this.#rowCount * BYTE_VALUES;
    if (start >= this.#rows.length) {
      const larger = new Int32Array(this.#rows.length * 2);
      larger.set(this.#rows);
      this.#rows = larger;
    }
    this.#rowOf[node] = start;
    this.#rowCount++;
  }
}
