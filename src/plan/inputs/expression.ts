/** A value of the expression language. */
export type Value = null | boolean | number | string | readonly Value[] | ValueTable | SensitiveValue;
export type ValueTable = { readonly [key: string]: Value };

/** Stands for the value of a sensitive input: it may be carried around, but not be looked at. */
export class SensitiveValue {
  readonly isSensitive = true;
}

export type BinaryOperator = '*' | '/' | '%' | '+' | '-' | '==' | '!=' | '<' | '<=' | '>' | '>=' | '&&' | '||';
export type UnaryOperator = '+' | '-' | '!';

/** Text with expressions in it. */
export type Template = readonly (string | Expression)[];

export type Expression =
  | { readonly kind: 'value'; readonly value: Value }
  | { readonly kind: 'template'; readonly parts: Template }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'array'; readonly items: readonly Expression[] }
  | { readonly kind: 'table'; readonly entries: readonly { readonly key: Expression; readonly value: Expression }[] }
  | { readonly kind: 'member'; readonly of: Expression; readonly key: Expression }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[] }
  | { readonly kind: 'unary'; readonly operator: UnaryOperator; readonly operand: Expression }
  | {
      readonly kind: 'binary';
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    };

/** An expression is not written correctly or cannot be evaluated. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';
}

/** Somebody looked at a sensitive input. */
export class SensitiveInputError extends Error {
  override readonly name = 'SensitiveInputError';
}
