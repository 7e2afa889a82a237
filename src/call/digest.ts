/** SHA-256, hexadecimal. Node's cryptography is loaded at first use: it takes longer than a short script. */
export function sha256(data: string | Uint8Array): string {
  return process.getBuiltinModule('node:crypto').createHash('sha256').update(data).digest('hex');
}
