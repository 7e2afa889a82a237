import type { Context } from '../call/context.ts';
import { ScriptError } from '../errors.ts';
import { meantScope, tenantOfScope } from '../tenant/reach.ts';

const SCOPE = /^(?:global|tenant:[A-Za-z0-9_.-]{1,128})$/;

/** The tenant whose knowledge a scope means. Throws BAD_ARGUMENT for any other scope than `global` and `tenant:ID`, NOT_ALLOWED without the grant. */
export function knowledgeTenant(context: Context, scope: string): string {
  if (!SCOPE.test(scope))
    throw new ScriptError(
      'BAD_ARGUMENT',
      `${context.method}: scope: expected "global" or tenant:ID (1 to 128 of A-Za-z0-9_.-), got ${JSON.stringify(scope.slice(0, 80))}${meantScope(scope, ['global', 'tenant'], (one) => SCOPE.test(one))}`,
    );
  return tenantOfScope(context, scope);
}
