import * as zod from 'zod';

/** A schema that is described and not yet made. */
interface Plan {
  readonly make: () => object;
  made?: object;
}

type Method = (...args: unknown[]) => object;

/** Under this key the proxy that stands for a schema gives its plan. */
const PLAN = Symbol('plan');

// Each by name, so that a bundle has no more of zod than it uses.
const kinds = {
  array: zod.array,
  bigint: zod.bigint,
  boolean: zod.boolean,
  custom: zod.custom,
  enum: zod.enum,
  int: zod.int,
  literal: zod.literal,
  looseObject: zod.looseObject,
  null: zod.null,
  number: zod.number,
  object: zod.object,
  record: zod.record,
  strictObject: zod.strictObject,
  string: zod.string,
  union: zod.union,
  unknown: zod.unknown,
  url: zod.url,
  void: zod.void,
};

/** Methods of a schema that give another one: it need not be made for them. */
const STEPS: ReadonlySet<unknown> = new Set(
  'default describe extend int length max min nonnegative nullable optional partial positive prefault refine regex register'.split(' '),
);

/**
 * zod, but a schema is made when somebody first looks at it: definitions have over a thousand, a process looks at a few of them, and to make all takes
 * as long as Node takes to start. They are as zod's own in all but identity; `schemaOf` gives the one that zod's registries know.
 */
export const z = Object.fromEntries(Object.entries(kinds).map(([kind, make]) => [kind, planned(make as Method)])) as unknown as typeof kinds;

/** The types of zod that definitions name. */
export declare namespace z {
  type input<T> = zod.input<T>;
  type output<T> = zod.output<T>;
  type ZodType<Output = unknown, Input = unknown> = zod.ZodType<Output, Input>;
  type ZodObject<Shape extends zod.core.$ZodShape = zod.core.$ZodLooseShape> = zod.ZodObject<Shape>;
}

/** The schema itself, made if it is not yet. */
export function schemaOf<T>(schema: T): T {
  const plan = (schema as { [PLAN]?: Plan } | null | undefined)?.[PLAN];
  return plan === undefined ? schema : (made(plan) as T);
}

function made(plan: Plan): object {
  plan.made ??= plan.make();
  return plan.made;
}

/** A method that makes a schema, as one that gives what stands for it. */
function planned(method: Method): Method {
  return (...args) => new Proxy<Plan>({ make: () => method(...args.map(withSchemas)) }, standIn);
}

/** An argument with the schemas in it made: it is one, or a list or an object of them. */
function withSchemas(argument: unknown): unknown {
  const schema = schemaOf(argument);
  if (schema !== argument) return schema;
  if (Array.isArray(argument)) return argument.map(schemaOf);
  if (typeof argument !== 'object' || argument === null || Object.getPrototypeOf(argument) !== Object.prototype) return argument;
  return Object.fromEntries(Object.entries(argument).map(([key, value]) => [key, schemaOf(value)]));
}

const standIn: ProxyHandler<Plan> = {
  get(plan, key) {
    if (key === PLAN) return plan;
    const method: Method = (...args) => Reflect.apply(Reflect.get(made(plan), key), made(plan), args.map(withSchemas));
    if (plan.made === undefined && STEPS.has(key)) return planned(method);
    const value: unknown = Reflect.get(made(plan), key);
    return typeof value === 'function' ? method : value;
  },
  has: (_, key) => key === '_zod' || key in zod.ZodType.prototype,
};
