// Runs once, when the base image is made: trims the globals and makes what scripts and the engine share. Its value is a function that gets
// the engine's own functions and gives what the engine keeps references to.
(function prelude(host) {
  const { defineProperty, freeze, getOwnPropertyDescriptor, getPrototypeOf, is } = Object;
  const { apply, ownKeys, defineProperty: reflectDefine, deleteProperty: reflectDelete, preventExtensions: reflectPrevent } = Reflect;
  const { isArray } = Array;
  const { stringify } = JSON;
  const hidden = (object, name, value) => defineProperty(object, name, { value, writable: true, configurable: true, enumerable: false });

  // Scripts have no shared memory; and nothing of theirs may run while an error is being made.
  delete globalThis.SharedArrayBuffer;
  delete globalThis.performance;
  delete Error.prepareStackTrace;

  class ScriptError extends Error {}
  hidden(ScriptError.prototype, 'name', 'ScriptError');
  freeze(ScriptError);

  const handlePrototype = (name, methods) => {
    const prototype = {};
    for (const method of ownKeys(methods)) hidden(prototype, method, methods[method]);
    defineProperty(prototype, Symbol.toStringTag, { value: name });
    return freeze(prototype);
  };

  // Lazy maps: objects that lack fields until one is missed.
  const ids = new WeakMap();
  const [getId, setId, forgetId] = [ids.get.bind(ids), ids.set.bind(ids), ids.delete.bind(ids)];
  const { hasOwn } = Object;
  const LazyProxy = Proxy;
  const fill = (target) => {
    const id = getId(target);
    if (id === undefined) return target;
    forgetId(target);
    const all = host.fill(id);
    for (const key of ownKeys(all))
      if (!hasOwn(target, key)) defineProperty(target, key, { value: all[key], writable: true, configurable: true, enumerable: true });
    return target;
  };
  const lazyHandler = freeze({
    __proto__: null,
    get: (target, key) => (hasOwn(target, key) ? target[key] : fill(target)[key]),
    has: (target, key) => key in fill(target),
    ownKeys: (target) => ownKeys(fill(target)),
    getOwnPropertyDescriptor: (target, key) => getOwnPropertyDescriptor(fill(target), key),
    defineProperty: (target, key, descriptor) => reflectDefine(fill(target), key, descriptor),
    deleteProperty: (target, key) => reflectDelete(fill(target), key),
    preventExtensions: (target) => reflectPrevent(fill(target)),
  });
  const lazy = (target, id) => {
    setId(target, id);
    return new LazyProxy(target, lazyHandler);
  };

  // print and console: values readably, however the script has changed its library.
  const call =
    (method) =>
    (self, ...args) =>
      apply(method, self, args);
  const has = call(Object.prototype.hasOwnProperty);
  const join = call(Array.prototype.join);
  const push = call(Array.prototype.push);
  const replace = call(String.prototype.replace);
  const test = call(RegExp.prototype.test);
  const textOfFunction = call(Function.prototype.toString);
  const textOfRegExp = call(RegExp.prototype.toString);
  const isoDate = call(Date.prototype.toISOString);
  const time = call(Date.prototype.getTime);
  const textOfSymbol = call(Symbol.prototype.toString);
  const textOfBigInt = call(BigInt.prototype.toString);
  const eachOfMap = call(Map.prototype.forEach);
  const eachOfSet = call(Set.prototype.forEach);
  const sizeOfMap = call(getOwnPropertyDescriptor(Map.prototype, 'size').get);
  const sizeOfSet = call(getOwnPropertyDescriptor(Set.prototype, 'size').get);
  const typedArrayTag = call(getOwnPropertyDescriptor(getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag).get);
  const typedArrayLength = call(getOwnPropertyDescriptor(getPrototypeOf(Uint8Array.prototype), 'length').get);
  const errorStack = call(getOwnPropertyDescriptor(Error.prototype, 'stack').get);
  const { isError } = Error;
  const MOST_ITEMS = 100;
  const MOST_DEPTH = 4;
  const WIDTH = 76;
  const UNINITIALIZED = freeze({ enumerable: true });
  const referenceError = ReferenceError.prototype;
  const isUninitialized = (error) => isError(error) && getPrototypeOf(error) === referenceError;

  const isKind = (probe, value) => {
    try {
      probe(value);
      return true;
    } catch {
      return false;
    }
  };

  const className = (value) => {
    for (let object = getPrototypeOf(value), steps = 0; object !== null && steps < 8; object = getPrototypeOf(object), steps++) {
      const made = getOwnPropertyDescriptor(object, 'constructor');
      const name = made && typeof made.value === 'function' && getOwnPropertyDescriptor(made.value, 'name');
      if (name && typeof name.value === 'string' && name.value !== '') return name.value;
      const tag = getOwnPropertyDescriptor(object, Symbol.toStringTag);
      if (tag && typeof tag.value === 'string') return tag.value;
    }
    return '';
  };

  // What imports give says itself what it is.
  const nameless = (value) => {
    const tag = getOwnPropertyDescriptor(value, Symbol.toStringTag);
    return tag && typeof tag.value === 'string' ? tag.value : '[Object: null prototype]';
  };

  const keyText = (key) => (typeof key === 'symbol' ? `[${textOfSymbol(key)}]` : test(/^[A-Za-z_$][\w$]*$/, key) ? key : stringify(key));

  const scalar = (value) => {
    if (typeof value === 'string') return stringify(value);
    if (typeof value === 'bigint') return `${textOfBigInt(value)}n`;
    if (typeof value === 'symbol') return textOfSymbol(value);
    if (typeof value === 'function') {
      const name = getOwnPropertyDescriptor(value, 'name');
      const kind = test(/^class\b/, textOfFunction(value)) ? 'class' : 'function';
      return name && typeof name.value === 'string' && name.value !== '' ? `[${kind} ${name.value}]` : `[${kind}]`;
    }
    return is(value, -0) ? '-0' : `${value}`;
  };

  // What a module exports may not be initialised yet: a part of it cannot be looked at then.
  const described = (value, key) => {
    try {
      return getOwnPropertyDescriptor(value, key);
    } catch (error) {
      if (!isUninitialized(error)) throw error;
      return UNINITIALIZED;
    }
  };

  const property = (value, key, depth, seen) => {
    const found = described(value, key);
    if (found === UNINITIALIZED) return '<uninitialized>';
    if (!found) return undefined;
    return 'value' in found ? inspect(found.value, depth + 1, seen) : found.get ? (found.set ? '[Getter/Setter]' : '[Getter]') : '[Setter]';
  };

  const fields = (value, depth, seen, parts, skip) => {
    let count = 0;
    for (const key of ownKeys(value)) {
      if (skip(key)) continue;
      const found = described(value, key);
      if (!found?.enumerable) continue;
      if (++count > MOST_ITEMS) {
        push(parts, '…');
        break;
      }
      push(parts, `${keyText(key)}: ${property(value, key, depth, seen)}`);
    }
  };

  const isIndex = (key) => typeof key === 'string' && test(/^\d+$/, key);

  const wrap = (open, parts, close) => {
    if (parts.length === 0) return open + close;
    const line = join(parts, ', ');
    const inside = open === '[' || open === '(' ? line : ` ${line} `;
    if (line.length <= WIDTH && !test(/\n/, line)) return open + inside + close;
    return `${open}\n  ${replace(join(parts, ',\n'), /\n/g, '\n  ')}\n${close}`;
  };

  const list = (value, length, depth, seen) => {
    const parts = [];
    for (let i = 0; i < length; i++) {
      if (i >= MOST_ITEMS) {
        push(parts, `… ${length - i} more`);
        break;
      }
      push(parts, property(value, i, depth, seen) ?? '<empty>');
    }
    return parts;
  };

  const entries = (value, each, depth, seen, line) => {
    const parts = [];
    let count = 0;
    each(value, (item, key) => {
      if (++count <= MOST_ITEMS) push(parts, line(inspect(key, depth + 1, seen), inspect(item, depth + 1, seen)));
      else if (count === MOST_ITEMS + 1) push(parts, '…');
    });
    return parts;
  };

  const errorText = (value, depth, seen) => {
    const read = (key) => {
      for (let object = value, steps = 0; object !== null && steps < 8; object = getPrototypeOf(object), steps++) {
        const found = getOwnPropertyDescriptor(object, key);
        if (found) return 'value' in found ? found.value : undefined;
      }
      return undefined;
    };
    const [name, message, stack] = [read('name') ?? 'Error', read('message'), errorStack(value)];
    let text = message === undefined || message === '' ? `${scalarText(name)}` : `${scalarText(name)}: ${scalarText(message)}`;
    if (typeof stack === 'string' && depth === 0) text += replace(`\n${stack}`, /\s+$/, '');
    const parts = [];
    fields(value, depth, seen, parts, (key) => key === 'message' || key === 'stack' || key === 'name');
    if (has(value, 'cause')) push(parts, `cause: ${property(value, 'cause', depth, seen)}`);
    return parts.length > 0 ? `${text} ${wrap('{', parts, '}')}` : depth === 0 ? text : `[${text}]`;
  };

  const scalarText = (value) => (typeof value === 'string' ? value : inspect(value, 1, []));

  const objectText = (value, depth, seen) => {
    if (isArray(value)) {
      const parts = list(value, value.length, depth, seen);
      fields(value, depth, seen, parts, isIndex);
      return wrap('[', parts, ']');
    }
    if (isError(value)) return errorText(value, depth, seen);
    if (isKind(sizeOfMap, value))
      return `Map(${sizeOfMap(value)}) ${wrap(
        '{',
        entries(value, eachOfMap, depth, seen, (key, item) => `${key} => ${item}`),
        '}',
      )}`;
    if (isKind(sizeOfSet, value))
      return `Set(${sizeOfSet(value)}) ${wrap(
        '{',
        entries(value, eachOfSet, depth, seen, (_, item) => item),
        '}',
      )}`;
    const typed = typedArrayTag(value);
    if (typed !== undefined) return `${typed}(${typedArrayLength(value)}) ${wrap('[', list(value, typedArrayLength(value), depth, seen), ']')}`;
    if (isKind(time, value)) return is(time(value), NaN) ? 'Invalid Date' : isoDate(value);
    const name = className(value);
    if (name === 'RegExp') return textOfRegExp(value);
    const parts = [];
    fields(value, depth, seen, parts, () => false);
    return (name === 'Object' ? '' : `${name === '' ? nameless(value) : name} `) + wrap('{', parts, '}');
  };

  function inspect(value, depth, seen) {
    if (value === null || typeof value !== 'object') return scalar(value);
    for (let i = 0; i < seen.length; i++) if (seen[i] === value) return '<cycle>';
    if (depth > MOST_DEPTH) return isArray(value) ? '[…]' : '{…}';
    push(seen, value);
    try {
      return objectText(value, depth, seen);
    } finally {
      seen.length--;
    }
  }

  const shown = (value) => (typeof value === 'string' ? value : inspect(value, 0, []));

  const formats = {
    s: (value) => (typeof value === 'string' ? value : inspect(value, 1, [])),
    d: (value) => (typeof value === 'bigint' ? scalar(value) : typeof value === 'symbol' ? 'NaN' : `${+value}`),
    i: (value) => (typeof value === 'number' ? `${Math.trunc(value)}` : scalar(value)),
    f: (value) => (typeof value === 'symbol' ? 'NaN' : `${+value}`),
    j: (value) => stringify(value),
    o: (value) => inspect(value, 0, []),
    O: (value) => inspect(value, 0, []),
  };

  const line = (values) => {
    const parts = [];
    let next = 0;
    if (typeof values[0] === 'string' && values.length > 1) {
      next = 1;
      push(
        parts,
        replace(values[0], /%([sdifjoO%])/g, (text, kind) => {
          if (kind === '%') return '%';
          return next < values.length ? formats[kind](values[next++]) : text;
        }),
      );
    }
    for (; next < values.length; next++) push(parts, shown(values[next]));
    // One part is the line: a long text is not copied.
    return parts.length === 1 ? parts[0] : join(parts, ' ');
  };

  const own = { print: (...values) => void host.print(line(values)) };
  const console = {};
  for (const level of ['log', 'info', 'warn', 'error', 'debug']) console[level] = freeze({ [level]: (...values) => void host.print(line(values)) }[level]);
  hidden(globalThis, 'print', freeze(own.print));
  hidden(globalThis, 'console', freeze(console));

  return {
    objectPrototype: Object.prototype,
    arrayPrototype: Array.prototype,
    errorPrototype: ScriptError.prototype,
    handlePrototype,
    show: (value) => (value === undefined ? null : inspect(value, 0, [])),
    lazy,
    // A rope: nothing is copied before somebody looks into the text.
    join: (text, piece) => text + piece,
    lazyHandler,
  };
});
