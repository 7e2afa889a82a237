export function bundle(): Promise<void>;
export function freshBundle(): string | undefined;
