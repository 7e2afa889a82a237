export function bundle(): Promise<void>;
export function bundleCompiled(dist: string): Promise<void>;
