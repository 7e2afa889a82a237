import type { MethodTable } from '../../call/dispatch.ts';
import type { RunContainer } from '../../call/run.ts';
import type { ScriptEngine, ScriptInstance } from '../engine.ts';
import { rememberProbe, wasProbed } from '../wasm/load.ts';
import { createJavaScriptImage, type JavaScriptImage } from './image.ts';
import { JavaScriptInstance } from './instance.ts';
import { probeJavaScript } from './probe.ts';

/** JavaScript (QuickJS-NG): images by method table, so that a runtime makes its own once. */
export function createJavaScriptEngine(): ScriptEngine {
  const images = new WeakMap<MethodTable, JavaScriptImage>();
  return {
    language: 'javascript',
    open(table: MethodTable, run: RunContainer): ScriptInstance {
      let image = images.get(table);
      if (!image) {
        if (!wasProbed('javascript')) {
          probeJavaScript();
          rememberProbe('javascript');
        }
        image = createJavaScriptImage(table);
        images.set(table, image);
      }
      return new JavaScriptInstance(image, table, run);
    },
  };
}
