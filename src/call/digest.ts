/** Node's cryptography, loaded at first use: it takes longer than a short script. */
const crypto = () => process.getBuiltinModule('node:crypto');
type Crypto = ReturnType<typeof crypto>;

export const createHash: Crypto['createHash'] = (...args) => crypto().createHash(...args);
export const createHmac: Crypto['createHmac'] = (...args) => crypto().createHmac(...args);
export const randomUUID: Crypto['randomUUID'] = (...args) => crypto().randomUUID(...args);

/** So many random bytes. */
export function randomBytes(size: number): Buffer {
  return crypto().randomBytes(size);
}

/** SHA-256, hexadecimal. */
export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
