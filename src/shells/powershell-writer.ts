import { unreachable } from '../lib/unreachable.ts';
import { cacheTransferOperations } from '../script/cache-transfer.ts';
import type { ScriptCondition, ScriptOperation } from '../script/operations.ts';
import { coloured } from './colours.ts';
import { assignmentLines } from './powershell-assignment.ts';
import { escapeText, quoteSingle, quoteValue } from './powershell-quoting.ts';
import { removeByNameLines, removeDirectoryLines, removeFileLines, withInputLines } from './powershell-snippets.ts';
import { argumentPieces, type CommandLine } from './references.ts';

export interface PowershellWriterOptions {
  /** FF_USE_POWERSHELL_PATH_RESOLVER: PowerShell says what a path means. */
  readonly resolvesPaths: boolean;
  /** Relative builds directory: paths below it are taken from where the script starts. */
  readonly relativeRoot: string | undefined;
}

const check = 'if(!$?) { Exit &{if($LASTEXITCODE) {$LASTEXITCODE} else {1}} }';

/** Writes operations as PowerShell text (spec shells.md §4.4). */
export class PowershellWriter {
  readonly #options: PowershellWriterOptions;
  readonly #lines: string[] = [];
  #indent = '';

  constructor(options: PowershellWriterOptions) {
    this.#options = options;
  }

  lines(): readonly string[] {
    return this.#lines;
  }

  line(text: string): void {
    this.#lines.push(text === '' ? '' : `${this.#indent}${text}`);
  }

  all(lines: readonly string[]): void {
    for (const line of lines) this.line(line);
  }

  /** A path as one expression. */
  path(path: string): string {
    const { resolvesPaths, relativeRoot } = this.#options;
    if (resolvesPaths) {
      return `($ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath(${quoteValue(path)}))`;
    }
    const isBelowRoot = relativeRoot !== undefined && (path === relativeRoot || path.startsWith(`${relativeRoot}/`));
    return isBelowRoot ? `"$CurrentDirectory/${escapeText(path)}"` : quoteValue(path);
  }

  makeDirectory(path: string): void {
    this.line(`New-Item -ItemType directory -Force -Path ${this.path(path)} | out-null`);
  }

  writeFile(path: string, content: string): void {
    this.line(`[System.IO.File]::WriteAllText(${this.path(path)}, ${quoteValue(content)})`);
  }

  operations(operations: readonly ScriptOperation[]): void {
    for (const operation of operations) this.#operation(operation);
  }

  #checked(text: string): void {
    this.all([text, check, '']);
  }

  #operation(operation: ScriptOperation): void {
    switch (operation.op) {
      case 'command':
        return this.#checked(this.#command(operation));
      case 'commandWithInput':
        this.all(withInputLines(operation));
        return operation.bestEffort ? undefined : this.all([check, '']);
      case 'userCommand':
        return this.#userCommand(operation.text, operation.asSection);
      case 'export':
        return this.#export(operation);
      case 'printHost':
        return this.line(
          `echo "Running on $([Environment]::MachineName)${operation.via === undefined ? '' : escapeText(` via ${operation.via}`)}..."`,
        );
      case 'print':
        return this.line(`echo ${quoteValue(coloured(operation.level, operation.text))}`);
      case 'emptyLine':
        return this.line('echo ""');
      case 'changeDirectory':
        return this.#checked(`Set-Location -LiteralPath ${this.path(operation.path)}`);
      case 'makeDirectory':
        return this.makeDirectory(operation.path);
      case 'removeFile':
        return this.all(removeFileLines(this.path(operation.path)));
      case 'removeDirectory':
        return this.all(removeDirectoryLines(this.path(operation.path)));
      case 'removeByName':
        return this.all(removeByNameLines(this.path(operation.path), operation.name, operation.kind));
      case 'writeFile':
        return this.writeFile(operation.path, operation.content);
      case 'if':
        return this.#if(operation);
      case 'cacheTransfer':
        return this.operations(cacheTransferOperations(operation));
      case 'verbatim':
        return operation.dialect === 'powershell' ? this.line(operation.text) : undefined;
      default:
        return unreachable(operation);
    }
  }

  #command(operation: CommandLine): string {
    const { expand } = operation;
    const names = typeof expand === 'object' ? expand : undefined;
    const write = expand ? (argument: string) => expanded(argument, names) : quoteSingle;
    return ['&', quoteValue(operation.command), ...operation.arguments.map(write)].join(' ');
  }

  #export({ key, value, expand }: Extract<ScriptOperation, { op: 'export' }>): void {
    this.all(assignmentLines(key, expand ? expanded(value) : this.#pathOrValue(value)));
  }

  /** Only paths are resolved; below a relative builds directory a value is a path. */
  #pathOrValue(value: string): string {
    return this.#options.resolvesPaths ? quoteValue(value) : this.path(value);
  }

  #userCommand(text: string, showsAll: boolean): void {
    const [firstLine = ''] = text.split('\n', 1);
    if (text === '') this.line('echo ""');
    else {
      const shown = text === firstLine || showsAll ? text : `${firstLine} # collapsed multi-line command`;
      this.line(`echo ${quoteValue(coloured('notice', `$ ${shown}`))}`);
    }
    this.#lines.push(...text.split(/\r?\n/), check, '');
  }

  #if({ condition, then, else: otherwise }: Extract<ScriptOperation, { op: 'if' }>): void {
    this.#condition(condition);
    const version = condition.test === 'gitAtLeast' ? condition.version : undefined;
    const message: readonly ScriptOperation[] =
      version === undefined ? [] : [{ op: 'print', level: 'print', text: `Git version at least "${version}"` }];
    this.#block([...message, ...then]);
    if (otherwise.length > 0) {
      this.line('} else {');
      this.#block(otherwise);
    }
    this.line('}');
  }

  #block(operations: readonly ScriptOperation[]): void {
    const outer = this.#indent;
    this.#indent += '  ';
    this.operations(operations);
    this.#indent = outer;
  }

  /** Everything up to and with the opening brace. */
  #condition(condition: ScriptCondition): void {
    switch (condition.test) {
      case 'isDirectory':
        return this.line(`if(Test-Path -LiteralPath ${this.path(condition.path)} -PathType Container) {`);
      case 'exists':
        return this.line(`if(Test-Path -LiteralPath ${this.path(condition.path)}) {`);
      case 'isReadable':
        return this.all([
          'Set-Variable -Name canRead -Value $false',
          `Try { [System.IO.File]::OpenRead(${expanded(condition.path)}).Dispose(); Set-Variable -Name canRead -Value $true } Catch { }`,
          'if($canRead) {',
        ]);
      case 'succeeds':
        return this.all([
          'Set-Variable -Name cmdErr -Value $false',
          'Try {',
          `  ${this.#command(condition)}${condition.silent ? ' 2>$null' : ''}`,
          '  if(!$?) { throw &{if($LASTEXITCODE) {$LASTEXITCODE} else {1}} }',
          '} Catch {',
          '  Set-Variable -Name cmdErr -Value $true',
          '}',
          'if(!$cmdErr) {',
        ]);
      case 'gitAtLeast':
        return this.line(
          `if([Version]((git version | Select-String "git version (\\d+(?:\\.\\d+)*)").Matches.Groups[1].Value) -ge [Version]"${condition.version}") {`,
        );
      default:
        return unreachable(condition);
    }
  }
}

function expanded(argument: string, names?: readonly string[]): string {
  const pieces = argumentPieces(argument, names);
  return `"${pieces.map((piece) => ('variable' in piece ? `\${${piece.variable}}` : escapeText(piece.text))).join('')}"`;
}
