import { allowedBy } from '../call/capability.ts';
import type { Context } from '../call/context.ts';
import { ScriptError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import { checkTenant } from '../store/folders.ts';

const PREFIX = 'tenant:';

/** Throws NOT_ALLOWED unless the run belongs to the tenant or was granted it, BAD_ARGUMENT when it is no id of a tenant. */
export function requireTenant(context: Context, tenant: string): void {
  const { run, method } = context;
  if (tenant === run.tenant) return;
  checkTenant(tenant, method);
  const { tenants } = run.grants;
  if (!tenants.includes(tenant) && !tenants.includes('*'))
    throw new ScriptError('NOT_ALLOWED', `${method}: this run may not reach the tenant ${tenant} (${allowedBy('tenants', tenant)})`, { method });
}

/** For the end of a refusal: the scope that is likely meant. */
export function meantScope(scope: string, kinds: readonly string[], fits: (scope: string) => boolean): string {
  const [kind = ''] = scope.split(':', 1);
  const meant = (nearest(kind, kinds) ?? '') + scope.slice(kind.length);
  return fits(meant) ? `; did you mean ${JSON.stringify(meant)}?` : '';
}

/** The tenant that a scope names: `tenant:ID` the one of that id, any other the given one. */
export function tenantNamed(scope: string, own: string): string {
  return scope.startsWith(PREFIX) ? scope.slice(PREFIX.length) : own;
}

/** The tenant whose data a scope means. Throws NOT_ALLOWED when it is another than the run's and was not granted. */
export function tenantOfScope(context: Context, scope: string): string {
  if (!scope.startsWith(PREFIX)) return context.run.tenant;
  const tenant = scope.slice(PREFIX.length);
  requireTenant(context, tenant);
  return tenant;
}
