import {
  type BinaryOperator,
  type Expression,
  ExpressionError,
  SensitiveInputError,
  SensitiveValue,
  type Template,
  type UnaryOperator,
  type Value,
  type ValueTable,
} from './expression.ts';

/**
 * The text a template stands for.
 * @param names what names mean at the root: `{job: {inputs: …}}`.
 * @throws ExpressionError, SensitiveInputError
 */
export function renderTemplate(template: Template, names: ValueTable): string {
  return template.map((part) => (typeof part === 'string' ? part : toText(evaluate(part, names)))).join('');
}

function evaluate(expression: Expression, names: ValueTable): Value {
  switch (expression.kind) {
    case 'value':
      return expression.value;
    case 'template':
      return renderTemplate(expression.parts, names);
    case 'name':
      return memberOf(names, expression.name, 'nothing is called');
    case 'array':
      return expression.items.map((item) => evaluate(item, names));
    case 'table':
      return evaluateTable(expression, names);
    case 'member':
      return memberOf(evaluate(expression.of, names), evaluate(expression.key, names), 'there is no');
    case 'call':
      return call(
        expression.name,
        expression.args.map((argument) => evaluate(argument, names)),
      );
    case 'unary':
      return evaluateUnary(expression.operator, evaluate(expression.operand, names));
    case 'binary':
      return evaluateBinary(expression, names);
  }
}

function evaluateTable(expression: Extract<Expression, { kind: 'table' }>, names: ValueTable): ValueTable {
  return Object.fromEntries(
    expression.entries.map(({ key, value }) => {
      const name = evaluate(key, names);
      if (typeof name !== 'string') throw new ExpressionError(`a key must be a string, not ${typeName(name)}`);
      return [name, evaluate(value, names)];
    }),
  );
}

function memberOf(container: Value, key: Value, problem: string): Value {
  if (container instanceof SensitiveValue) throw new SensitiveInputError();
  if (Array.isArray(container)) {
    const item: Value | undefined = typeof key === 'number' ? (container as readonly Value[])[key] : undefined;
    if (item === undefined) throw new ExpressionError(`${problem} item ${toText(key)}`);
    return item;
  }
  if (isTable(container) && typeof key === 'string') {
    if (Object.hasOwn(container, key)) return container[key] ?? null;
    throw new ExpressionError(`${problem} ${JSON.stringify(key)}`);
  }
  throw new ExpressionError(`${typeName(container)} has no members`);
}

function call(name: string, args: readonly Value[]): Value {
  const [argument] = args;
  if (!['str', 'num', 'bool'].includes(name)) throw new ExpressionError(`there is no function ${JSON.stringify(name)}`);
  if (argument === undefined || args.length !== 1) throw new ExpressionError(`${name}() takes one argument`);
  if (name === 'str') return toText(argument);
  return name === 'bool' ? isTruthy(argument) : toNumber(argument);
}

function toNumber(value: Value): number {
  if (value instanceof SensitiveValue) throw new SensitiveInputError();
  if (typeof value === 'number') return value;
  if (typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value))) return Number(value);
  throw new ExpressionError(`num() cannot read ${typeof value === 'string' ? JSON.stringify(value) : typeName(value)}`);
}

function evaluateUnary(operator: UnaryOperator, operand: Value): Value {
  if (operator === '!') return !isTruthy(operand);
  if (operand instanceof SensitiveValue) throw new SensitiveInputError();
  if (typeof operand !== 'number')
    throw new ExpressionError(`unary ${operator} needs a number, not ${typeName(operand)}`);
  return operator === '-' ? -operand : operand;
}

function evaluateBinary(expression: Extract<Expression, { kind: 'binary' }>, names: ValueTable): Value {
  const { operator } = expression;
  const left = evaluate(expression.left, names);
  if (operator === '&&') return isTruthy(left) ? evaluate(expression.right, names) : left;
  if (operator === '||') return isTruthy(left) ? left : evaluate(expression.right, names);
  const right = evaluate(expression.right, names);
  if (operator === '==') return isEqual(left, right);
  if (operator === '!=') return !isEqual(left, right);
  return combine(operator, left, right);
}

function combine(operator: Exclude<BinaryOperator, '&&' | '||' | '==' | '!='>, left: Value, right: Value): Value {
  if (left instanceof SensitiveValue || right instanceof SensitiveValue) throw new SensitiveInputError();
  if (typeof left === 'string' && typeof right === 'string') {
    if (operator === '+') return left + right;
    if (isComparison(operator)) return compare(operator, left < right ? -1 : Number(left > right));
  }
  if (typeof left === 'number' && typeof right === 'number') {
    return isComparison(operator) ? compare(operator, left - right) : calculate(operator, left, right);
  }
  throw new ExpressionError(`${operator} cannot be used with ${typeName(left)} and ${typeName(right)}`);
}

type Comparison = '<' | '<=' | '>' | '>=';

function isComparison(operator: string): operator is Comparison {
  return ['<', '<=', '>', '>='].includes(operator);
}

function compare(operator: Comparison, order: number): boolean {
  switch (operator) {
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
  }
}

function calculate(operator: '+' | '-' | '*' | '/' | '%', left: number, right: number): number {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
    case '%':
      if (right === 0) throw new ExpressionError('division by zero');
      return operator === '/' ? left / right : left % right;
  }
}

function isTruthy(value: Value): boolean {
  if (value instanceof SensitiveValue) throw new SensitiveInputError();
  if (Array.isArray(value)) return value.length > 0;
  if (isTable(value)) return Object.keys(value).length > 0;
  return Boolean(value);
}

function isEqual(left: Value, right: Value): boolean {
  if (left instanceof SensitiveValue || right instanceof SensitiveValue) throw new SensitiveInputError();
  if (isList(left) && isList(right)) {
    return left.length === right.length && left.every((item, index) => isEqual(item, right[index] ?? null));
  }
  if (isTable(left) && isTable(right)) {
    const keys = Object.keys(left);
    return (
      keys.length === Object.keys(right).length &&
      keys.every((key) => Object.hasOwn(right, key) && isEqual(left[key] ?? null, right[key] ?? null))
    );
  }
  return left === right;
}

/** Lists and tables are written as JSON. */
function toText(value: Value): string {
  if (value instanceof SensitiveValue) throw new SensitiveInputError();
  if (value === null) return '<null>';
  if (typeof value === 'object') return JSON.stringify(value, refuseSensitive);
  return String(value);
}

function refuseSensitive(_key: string, value: unknown): unknown {
  if (value instanceof SensitiveValue) throw new SensitiveInputError();
  return value;
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

function isTable(value: Value): value is ValueTable {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof SensitiveValue);
}

function typeName(value: Value): string {
  if (value === null) return 'null';
  if (isList(value)) return 'array';
  return typeof value;
}
