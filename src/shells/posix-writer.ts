import { unreachable } from '../lib/unreachable.ts';
import { cacheTransferOperations } from '../script/cache-transfer.ts';
import type { ScriptCondition, ScriptOperation } from '../script/operations.ts';
import { coloured } from './colours.ts';
import { markCall } from './posix-marks.ts';
import type { Quote } from './posix-quoting.ts';
import { argumentPieces, type CommandLine } from './references.ts';

export interface PosixWriterOptions {
  readonly quote: Quote;
  /** FF_ENABLE_BASH_EXIT_CODE_CHECK */
  readonly exitCodeCheck: boolean;
  /** Relative builds directory: paths below it are taken from where the script starts. */
  readonly relativeRoot: string | undefined;
  /** Whether boundaries of user commands are marked. */
  readonly marks: boolean;
}

const exitCodeCheck = '_runner_exit_code=$?; if [ $_runner_exit_code -ne 0 ]; then exit $_runner_exit_code; fi';

/** Writes operations as POSIX shell text (spec shells.md §3.3). */
export class PosixWriter {
  readonly quote: Quote;
  readonly #options: PosixWriterOptions;
  readonly #lines: string[] = [];
  #indent = '';
  #marks = 0;

  constructor(options: PosixWriterOptions) {
    this.#options = options;
    this.quote = options.quote;
  }

  text(): string {
    return `${this.#lines.join('\n')}\n`;
  }

  line(text: string): void {
    this.#lines.push(text === '' ? '' : `${this.#indent}${text}`);
  }

  /** A path as one word. */
  path(path: string): string {
    return this.value(path.startsWith('-') ? `./${path}` : path);
  }

  /** A value as one word; a path below a relative builds directory becomes absolute. */
  value(value: string): string {
    const { relativeRoot } = this.#options;
    const isBelowRoot = relativeRoot !== undefined && (value === relativeRoot || value.startsWith(`${relativeRoot}/`));
    return isBelowRoot ? `"$__millrace_cwd"/${this.quote(value)}` : this.quote(value);
  }

  writeFile(path: string, content: string): void {
    this.line(`printf '%s' ${this.quote(content)} > ${this.path(path)}`);
  }

  /** Files removed one after another are removed by one process. */
  operations(operations: readonly ScriptOperation[]): void {
    let files: string[] = [];
    for (const operation of operations) {
      if (operation.op === 'removeFile') {
        files.push(operation.path);
        continue;
      }
      this.#removeFiles(files);
      files = [];
      this.#operation(operation);
    }
    this.#removeFiles(files);
  }

  #removeFiles(paths: readonly string[]): void {
    if (paths.length > 0) this.#checked(`rm -f ${paths.map((path) => this.path(path)).join(' ')}`);
  }

  #operation(operation: ScriptOperation): void {
    switch (operation.op) {
      case 'command':
        return this.#checked(this.#command(operation));
      case 'commandWithInput':
        return this.#commandWithInput(operation);
      case 'userCommand':
        return this.#userCommand(operation);
      case 'export':
        return this.line(
          `export ${operation.key}=${operation.expand ? this.#expanded(operation.value) : this.value(operation.value)}`,
        );
      case 'printHost':
        return this.line(
          String.raw`printf 'Running on %s%s\n' "$(hostname)" ${this.quote(operation.via === undefined ? '...' : ` via ${operation.via}...`)}`,
        );
      case 'print':
        return this.#print(coloured(operation.level, operation.text));
      case 'emptyLine':
        return this.line('echo');
      case 'changeDirectory':
        return this.#checked(`cd ${this.path(operation.path)}`);
      case 'makeDirectory':
        return this.#checked(`mkdir -p ${this.path(operation.path)}`);
      case 'removeFile':
        return this.#removeFiles([operation.path]);
      case 'removeDirectory':
        return this.#removeDirectory(operation.path);
      case 'removeByName':
        return this.#removeByName(operation);
      case 'writeFile':
        return this.writeFile(operation.path, operation.content);
      case 'if':
        return this.#if(operation);
      case 'cacheTransfer':
        return this.operations(cacheTransferOperations(operation));
      case 'verbatim':
        return operation.dialect === 'posix' ? this.line(operation.text) : undefined;
      default:
        return unreachable(operation);
    }
  }

  /** Not `echo`: some shells' reads backslashes. */
  #print(text: string): void {
    this.line(String.raw`printf '%s\n' ${this.quote(text)}`);
  }

  #checked(text: string): void {
    this.line(text);
    if (this.#options.exitCodeCheck) this.line(exitCodeCheck);
  }

  #command(operation: CommandLine): string {
    const { expand } = operation;
    const names = typeof expand === 'object' ? expand : undefined;
    const write = expand ? (argument: string) => this.#expanded(argument, names) : this.quote;
    return [this.quote(operation.command), ...operation.arguments.map(write)].join(' ');
  }

  #expanded(argument: string, names?: readonly string[]): string {
    return argumentPieces(argument, names)
      .map((piece) => ('variable' in piece ? `"\${${piece.variable}}"` : this.quote(piece.text)))
      .join('');
  }

  #commandWithInput(operation: Extract<ScriptOperation, { op: 'commandWithInput' }>): void {
    const pipeline = String.raw`printf '%s\n' ${this.quote(operation.input)} | ${this.#command(operation)}`;
    if (operation.bestEffort) this.line(`${pipeline} || true`);
    else this.#checked(pipeline);
  }

  #userCommand({ text, sectionId, asSection }: Extract<ScriptOperation, { op: 'userCommand' }>): void {
    // What the command before wrote to the other stream comes before this line, what this one writes after it.
    this.#mark();
    const [firstLine = ''] = text.split('\n', 1);
    if (text === '') this.line('echo');
    else if (asSection) this.#section(sectionId, text);
    else
      this.#print(
        coloured('notice', text === firstLine ? `$ ${text}` : `$ ${firstLine} # collapsed multi-line command`),
      );
    this.#mark();
    this.#lines.push(text);
    if (this.#options.exitCodeCheck) this.line(exitCodeCheck);
  }

  #mark(): void {
    if (this.#options.marks) this.line(markCall(++this.#marks));
  }

  /** The section holds the command only: what it prints shall not be folded away. */
  #section(id: string, text: string): void {
    const command = this.quote(coloured('notice', `$ ${text}`));
    const [start, end] = [
      `section_start:%s:section_${id}[hide_duration=true,collapsed=true]`,
      `section_end:%s:section_${id}`,
    ];
    this.line(String.raw`printf '${start}\r\033[0K%s\n' "$(date +%s)" ${command}`);
    this.line(String.raw`printf '${end}\r\033[0K\n' "$(date +%s)"`);
  }

  /** Only a tree that resists is made writable first: that walks through all of it. */
  #removeDirectory(path: string): void {
    const word = this.path(path);
    this.line(`rm -r -f ${word} 2>/dev/null || { chmod -R u+rwX ${word} || :; rm -r -f ${word}; }`);
  }

  #removeByName({ kind, path, name }: Extract<ScriptOperation, { op: 'removeByName' }>): void {
    const word = this.path(path);
    const [tests, remove] = kind === 'file' ? ['-type f', 'rm -f'] : ['-depth -type d', 'rm -r -f'];
    this.line(`if [ -d ${word} ]; then`);
    this.line(`  find ${word} ${tests} -name ${this.quote(name)} -exec ${remove} {} \\;`);
    this.line('fi');
  }

  #if({ condition, then, else: otherwise }: Extract<ScriptOperation, { op: 'if' }>): void {
    this.line(`if ${this.#condition(condition)}; then`);
    const message = condition.test === 'gitAtLeast' ? [gitVersionMessage(condition.version)] : [];
    this.#block([...message, ...then]);
    if (otherwise.length > 0) {
      this.line('else');
      this.#block(otherwise);
    }
    this.line('fi');
  }

  #block(operations: readonly ScriptOperation[]): void {
    const outer = this.#indent;
    this.#indent += '  ';
    if (operations.length === 0) this.line(':');
    this.operations(operations);
    this.#indent = outer;
  }

  #condition(condition: ScriptCondition): string {
    switch (condition.test) {
      case 'isDirectory':
        return `[ -d ${this.path(condition.path)} ]`;
      case 'exists':
        return `[ -e ${this.path(condition.path)} ]`;
      case 'isReadable':
        return `[ -r ${this.#expanded(condition.path)} ]`;
      case 'succeeds':
        return `${this.#command(condition)}${condition.silent ? ' >/dev/null 2>&1' : ''}`;
      case 'gitAtLeast':
        return gitVersionTest(condition.version);
      default:
        return unreachable(condition);
    }
  }
}

function gitVersionTest(version: string): string {
  const versions = String.raw`printf '%s\n' ${version} "$(git version | cut -d ' ' -f 3)"`;
  return `[ "$(${versions} | sort -t . -k 1,1n -k 2,2n -k 3,3n | head -n 1)" = ${version} ]`;
}

function gitVersionMessage(version: string): ScriptOperation {
  return { op: 'print', level: 'print', text: `Git version at least "${version}"` };
}
