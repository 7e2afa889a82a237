import type { MethodTable } from '../../call/dispatch.ts';
import type { RunContainer } from '../../call/run.ts';
import type { ScriptEngine, ScriptInstance } from '../engine.ts';
import { rememberProbe, wasProbed } from '../wasm/load.ts';
import { createLuaImage, type LuaImage } from './image.ts';
import { LuaInstance } from './instance.ts';
import { probeLua } from './probe.ts';

/** Lua 5.4: images by method table, so that a runtime makes its own once. */
export function createLuaEngine(): ScriptEngine {
  const images = new WeakMap<MethodTable, LuaImage>();
  return {
    language: 'lua',
    open(table: MethodTable, run: RunContainer): ScriptInstance {
      let image = images.get(table);
      if (!image) {
        if (!wasProbed('lua')) {
          probeLua();
          rememberProbe('lua');
        }
        image = createLuaImage(table);
        images.set(table, image);
      }
      return new LuaInstance(image, table, run);
    },
  };
}
