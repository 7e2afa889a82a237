import { ScriptError } from '../errors.ts';

const CONSTANTS: Readonly<Record<string, number>> = { pi: Math.PI, e: Math.E, tau: 2 * Math.PI };

/** Functions with the least and the largest number of arguments. */
const FUNCTIONS: Readonly<Record<string, readonly [least: number, most: number, (...args: number[]) => number]>> = {
  ...Object.fromEntries(
    (
      [
        'sin',
        'cos',
        'tan',
        'asin',
        'acos',
        'atan',
        'sinh',
        'cosh',
        'tanh',
        'exp',
        'log2',
        'log10',
        'sqrt',
        'cbrt',
        'abs',
        'floor',
        'ceil',
        'trunc',
        'sign',
      ] as const
    ).map((name) => [name, [1, 1, Math[name]]]),
  ),
  ln: [1, 1, Math.log],
  log: [1, 2, (x, base) => (base === undefined ? Math.log(x) : Math.log(x) / Math.log(base))],
  round: [1, 2, round],
  pow: [2, 2, (x, y) => x ** y],
  atan2: [2, 2, Math.atan2],
  hypot: [1, 64, Math.hypot],
  min: [1, 64, Math.min],
  max: [1, 64, Math.max],
  sum: [0, 64, (...all) => all.reduce((a, b) => a + b, 0)],
  avg: [1, 64, (...all) => all.reduce((a, b) => a + b, 0) / all.length],
};

/** Digits behind the point, or in front of it, beyond which rounding to them changes nothing more: numbers reach from 5e-324 to 2e308. */
const MOST_DIGITS = 400;

/** To so many digits behind the point: the decimal text of a number is moved, not the number multiplied, which is not exact. */
function round(x: number, digits = 0): number {
  if (!Number.isInteger(digits)) throw refuse(`round: digits: expected a whole number, got ${digits}`);
  const places = Math.max(-MOST_DIGITS, Math.min(MOST_DIGITS, digits));
  const moved = Math.round(moveDecimal(x, places));
  return Number.isFinite(moved) ? moveDecimal(moved, -places) : x;
}

function moveDecimal(x: number, places: number): number {
  const [digits, exponent = 0] = String(x).split('e');
  return Number(`${digits}e${Number(exponent) + places}`);
}

const MOST_DEPTH = 200;
const TOKEN = /\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)|([A-Za-z_]\w*)|(\*\*|[-+*/%^(),]))/y;

/** The value of an arithmetic expression. Throws BAD_ARGUMENT that says where it cannot be read, and for a result that is no number. */
export function evaluate(expression: string, variables: Readonly<Record<string, number>> = {}): number {
  const result = new Parser(expression, variables).whole();
  if (!Number.isFinite(result)) throw refuse(Number.isNaN(result) ? 'the result is no number' : 'the result is infinite (a division by zero?)');
  return result;
}

/** Precedence climbing: sums, products, signs, powers (which bind from the right), then what stands by itself. */
class Parser {
  readonly #text: string;
  readonly #variables: Readonly<Record<string, number>>;
  #at = 0;
  #start = 0;
  #token = '';
  #kind: 'number' | 'name' | 'sign' | 'end' = 'end';
  #depth = 0;

  constructor(text: string, variables: Readonly<Record<string, number>>) {
    this.#text = text;
    this.#variables = variables;
    this.#next();
  }

  whole(): number {
    const value = this.#sum();
    if (this.#kind !== 'end') throw this.#unexpected();
    return value;
  }

  #sum(): number {
    if (++this.#depth > MOST_DEPTH) throw refuse(`nested deeper than ${MOST_DEPTH}`);
    let value = this.#product();
    while (this.#is('+') || this.#is('-')) {
      const minus = this.#take() === '-';
      const right = this.#product();
      value = minus ? value - right : value + right;
    }
    this.#depth--;
    return value;
  }

  #product(): number {
    let value = this.#signed();
    while (this.#is('*') || this.#is('/') || this.#is('%')) {
      const sign = this.#take();
      const right = this.#signed();
      value = sign === '*' ? value * right : sign === '/' ? value / right : value % right;
    }
    return value;
  }

  #signed(): number {
    let negative = false;
    while (this.#is('-') || this.#is('+')) if (this.#take() === '-') negative = !negative;
    const value = this.#power();
    return negative ? -value : value;
  }

  #power(): number {
    const base = this.#single();
    if (!this.#is('^') && !this.#is('**')) return base;
    this.#take();
    if (++this.#depth > MOST_DEPTH) throw refuse(`nested deeper than ${MOST_DEPTH}`);
    const value = base ** this.#signed();
    this.#depth--;
    return value;
  }

  #single(): number {
    if (this.#kind === 'number') return Number(this.#take());
    if (this.#kind === 'name') return this.#named(this.#take());
    if (!this.#is('(')) throw this.#unexpected();
    this.#take();
    const value = this.#sum();
    this.#close();
    return value;
  }

  #named(name: string): number {
    if (!this.#is('(')) {
      const known = Object.hasOwn(this.#variables, name) ? this.#variables : CONSTANTS;
      const key = known === CONSTANTS ? name.toLowerCase() : name;
      const value = Object.hasOwn(known, key) ? known[key] : undefined;
      if (value === undefined) throw refuse(`unknown name "${name}"`);
      return value;
    }
    const fn = Object.hasOwn(FUNCTIONS, name.toLowerCase()) ? FUNCTIONS[name.toLowerCase()] : undefined;
    if (!fn) throw refuse(`unknown function "${name}"; known are ${Object.keys(FUNCTIONS).join(', ')}`);
    const args = this.#arguments();
    const [least, most, apply] = fn;
    if (args.length < least || args.length > most)
      throw refuse(`${name}: expected ${least === most ? least : `${least} to ${most}`} arguments, got ${args.length}`);
    return apply(...args);
  }

  #arguments(): number[] {
    this.#take();
    const args: number[] = [];
    if (!this.#is(')')) {
      args.push(this.#sum());
      while (this.#is(',')) {
        this.#take();
        args.push(this.#sum());
      }
    }
    this.#close();
    return args;
  }

  #close(): void {
    if (!this.#is(')')) throw this.#unexpected(')');
    this.#take();
  }

  #is(sign: string): boolean {
    return this.#kind === 'sign' && this.#token === sign;
  }

  #take(): string {
    const token = this.#token;
    this.#next();
    return token;
  }

  #next(): void {
    TOKEN.lastIndex = this.#at;
    const found = TOKEN.exec(this.#text);
    this.#start = this.#at;
    if (!found) {
      const rest = this.#text.slice(this.#at).trim();
      if (rest !== '') throw refuse(`unexpected ${JSON.stringify(rest[0])} at position ${this.#text.indexOf(rest, this.#at) + 1}`);
      this.#kind = 'end';
      this.#token = '';
      return;
    }
    this.#at = TOKEN.lastIndex;
    this.#token = found[1] ?? found[2] ?? found[3] ?? '';
    this.#kind = found[1] !== undefined ? 'number' : found[2] !== undefined ? 'name' : 'sign';
    this.#start = this.#at - this.#token.length;
  }

  #unexpected(wanted?: string): ScriptError {
    const expected = wanted ? `expected "${wanted}", ` : '';
    return refuse(this.#kind === 'end' ? `${expected}the expression ends too early` : `${expected}unexpected "${this.#token}" at position ${this.#start + 1}`);
  }
}

function refuse(what: string): ScriptError {
  return new ScriptError('BAD_ARGUMENT', `calculator: expression: ${what}`);
}
