import { CLASS, FUNCTION_CLASSES, pointerOf, type QuickJSExports, TAG } from './exports.ts';
import type { Heap } from './heap.ts';

/** Prototypes that are looked through. */
const MOST_STEPS = 32;

/**
 * Whether what a text names, `Tool.list`, is a function, read from memory so that no code of the script runs. Undefined where the name begins
 * with no global, or with one whose name the text may give to something of its own, or where only code could tell.
 */
export function callable(x: QuickJSExports, heap: Heap, context: number, name: string, text: string): boolean | undefined {
  const [root = '', ...keys] = name.split(/\??\./);
  // Each use that is neither a call nor a part of it may be a declaration.
  if (new RegExp(`(?<![\\w$.])${root.replaceAll('$', '\\$&')}(?![\\w$]|\\s*(?:\\??\\.|\\())`).test(text)) return undefined;
  const global = x.JS_GetGlobalObject(context);
  let at = slotOf(heap, pointerOf(global), root);
  x.JS_FreeValue(context, global);
  // What is no global is a variable.
  if (at === undefined || at === 0) return undefined;
  for (const key of keys) {
    if (heap.tag(at) !== TAG.object) return undefined;
    at = slotOf(heap, heap.pointer(at), key);
    if (at === 0) return undefined;
    if (at === undefined) return key === keys.at(-1) ? false : undefined;
  }
  return heap.tag(at) === TAG.object && FUNCTION_CLASSES.has(heap.classOf(heap.pointer(at)));
}

/** Where a property of an object or of its prototypes is; 0 where only code can tell, undefined where there is none. */
function slotOf(heap: Heap, object: number, key: string): number | undefined {
  let at = object;
  for (let steps = 0; at !== 0; at = heap.prototypeOf(at), steps++) {
    if (heap.classOf(at) === CLASS.proxy || steps === MOST_STEPS) return 0;
    const slot = heap.slots(at, true).find((one) => one.key === key);
    if (slot) return slot.at;
  }
  return undefined;
}
