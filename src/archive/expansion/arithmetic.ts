import { ExpansionError } from './expansion-error.ts';

type Lookup = (name: string) => string;

const binaryLevels: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<=', '>=', '<', '>'],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
];

const tokenPattern = /\s*(\d\w*|[A-Za-z_]\w*|\*\*|\|\||&&|==|!=|<=|>=|<<|>>|[-+*/%<>&^|!~()?:])/gy;

/**
 * Evaluates what stands between `$((` and `))`: 64-bit integers and the operators of a POSIX shell, no assignments.
 * @throws ExpansionError for anything else.
 */
export function evaluateArithmetic(expression: string, lookup: Lookup): string {
  const parser = new ArithmeticParser(tokensOf(expression), lookup);
  return BigInt.asIntN(64, parser.parseAll()).toString();
}

function tokensOf(expression: string): readonly string[] {
  const tokens: string[] = [];
  const trimmed = expression.trim();
  tokenPattern.lastIndex = 0;
  while (tokenPattern.lastIndex < trimmed.length) {
    const token = tokenPattern.exec(trimmed)?.[1];
    if (token === undefined) throw new ExpansionError('not a valid arithmetic expression');
    tokens.push(token);
  }
  return tokens;
}

class ArithmeticParser {
  readonly #tokens: readonly string[];
  readonly #lookup: Lookup;
  #position = 0;
  #depth = 0;

  constructor(tokens: readonly string[], lookup: Lookup) {
    this.#tokens = tokens;
    this.#lookup = lookup;
  }

  parseAll(): bigint {
    if (this.#tokens.length === 0) return 0n;
    const value = this.#conditional();
    if (this.#position < this.#tokens.length) throw new ExpansionError('not a valid arithmetic expression');
    return value;
  }

  #conditional(): bigint {
    const condition = this.#binary(0);
    if (!this.#take('?')) return condition;
    const whenTrue = this.#conditional();
    if (!this.#take(':')) throw new ExpansionError('missing ":" in an arithmetic expression');
    const whenFalse = this.#conditional();
    return condition === 0n ? whenFalse : whenTrue;
  }

  #binary(level: number): bigint {
    const operators = binaryLevels[level];
    if (operators === undefined) return this.#power();
    let left = this.#binary(level + 1);
    for (;;) {
      const operator = operators.find((candidate) => this.#take(candidate));
      if (operator === undefined) return left;
      left = BigInt.asIntN(64, apply(operator, left, this.#binary(level + 1)));
    }
  }

  #power(): bigint {
    const base = this.#unary();
    if (!this.#take('**')) return base;
    const exponent = this.#power();
    if (exponent < 0n || exponent > 63n) throw new ExpansionError('exponent out of range');
    return BigInt.asIntN(64, base ** exponent);
  }

  #unary(): bigint {
    this.#depth += 1;
    if (this.#depth > 200) throw new ExpansionError('arithmetic expression is nested too deeply');
    const value = this.#unaryInner();
    this.#depth -= 1;
    return value;
  }

  #unaryInner(): bigint {
    if (this.#take('-')) return -this.#unary();
    if (this.#take('+')) return this.#unary();
    if (this.#take('!')) return this.#unary() === 0n ? 1n : 0n;
    if (this.#take('~')) return ~this.#unary();
    if (this.#take('(')) {
      const value = this.#conditional();
      if (!this.#take(')')) throw new ExpansionError('missing ")" in an arithmetic expression');
      return value;
    }
    const token = this.#tokens[this.#position] ?? '';
    this.#position += 1;
    return /^\d/.test(token) ? parseNumber(token) : this.#variable(token);
  }

  #variable(name: string): bigint {
    if (!/^[A-Za-z_]\w*$/.test(name)) throw new ExpansionError('not a valid arithmetic expression');
    const value = this.#lookup(name).trim();
    if (value === '') return 0n;
    return value.startsWith('-') ? -parseNumber(value.slice(1)) : parseNumber(value);
  }

  #take(token: string): boolean {
    if (this.#tokens[this.#position] !== token) return false;
    this.#position += 1;
    return true;
  }
}

function parseNumber(text: string): bigint {
  if (/^0[0-7]+$/.test(text)) return BigInt(`0o${text.slice(1)}`);
  if (/^(0[xX][0-9a-fA-F]+|\d+)$/.test(text)) return BigInt(text);
  throw new ExpansionError(`"${text}" is not a number`);
}

function apply(operator: string, left: bigint, right: bigint): bigint {
  if ((operator === '/' || operator === '%') && right === 0n) throw new ExpansionError('division by zero');
  switch (operator) {
    case '||':
      return left !== 0n || right !== 0n ? 1n : 0n;
    case '&&':
      return left !== 0n && right !== 0n ? 1n : 0n;
    case '|':
      return left | right;
    case '^':
      return left ^ right;
    case '&':
      return left & right;
    case '==':
      return left === right ? 1n : 0n;
    case '!=':
      return left !== right ? 1n : 0n;
    case '<=':
      return left <= right ? 1n : 0n;
    case '>=':
      return left >= right ? 1n : 0n;
    case '<':
      return left < right ? 1n : 0n;
    case '>':
      return left > right ? 1n : 0n;
    case '<<':
      return left << (right & 63n);
    case '>>':
      return left >> (right & 63n);
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return left / right;
    default:
      return left % right;
  }
}
