import type { GlobalDefinition, Method } from '../call/define.ts';
import { ERROR_CODES } from '../errors.ts';
import { fieldOf, shapeOf } from './type.ts';
import { typeText } from './typescript.ts';

/** The API as data, to compare one release with another. */
export function apiManifest(globals: readonly GlobalDefinition[]): string {
  const describe = ({ params, result, effect, needs }: Method) => ({
    params: Object.entries(params).map(([name, schema]) => {
      const { type, optional } = fieldOf(name, schema);
      return { name, type: typeText(type), optional };
    }),
    result: typeText(shapeOf(result)),
    effect,
    ...(needs !== undefined && { needs }),
  });
  const entries = (methods: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(Object.entries(methods).map(([name, definition]) => [name, describe(definition as Method)]));
  const described = globals.map(({ name, only, callable, methods, handles = [] }) => ({
    name,
    ...(only !== undefined && { only }),
    ...(callable && { call: describe(callable) }),
    methods: entries(methods),
    handles: Object.fromEntries(handles.map((handle) => [handle.type.name, entries(handle.methods)])),
  }));
  return `${JSON.stringify({ globals: described, error_codes: Object.keys(ERROR_CODES) }, null, 1)}\n`;
}
