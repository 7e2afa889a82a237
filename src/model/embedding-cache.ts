import { hostService } from '../call/context.ts';
import { createHash } from '../call/digest.ts';
import { tenantHome } from '../store/folders.ts';
import { tenantOwners } from '../tenant/tenants.ts';
import { createSqliteCache } from './embedding-cache-sqlite.ts';

/** Vectors by what they were made of. It may forget anything at any time, so a cache that cannot be read or written is an empty one. */
export interface EmbeddingCache {
  /** The vector of each hash, undefined where it is not known. */
  get(hashes: readonly string[]): (Float32Array | undefined)[];
  put(entries: readonly (readonly [hash: string, vector: Float32Array])[]): void;
  close(): void;
}

/** Bytes of vectors that one tenant's cache keeps; beyond, those used longest ago are forgotten. */
export const MOST_CACHED_BYTES = 256 * 2 ** 20;
/** Caches that are open at once. */
const MOST_OPEN = 16;

/** The key of a text's vector: SHA-256 of the model's name and the text, hex. */
export function cacheKey(model: string, text: string): string {
  return createHash('sha256').update(model).update('\0').update(text).digest('hex');
}

/** The caches of all tenants, opened at first use. */
export interface EmbeddingCaches {
  of(tenant: string): EmbeddingCache;
  /** Closes a tenant's cache, so that its folder can be deleted. */
  release(tenant: string): void;
  [Symbol.dispose](): void;
}

/** The embedding caches of a runtime: `embeddings.db` in each tenant's folder, or memory where the store is. */
export const embeddingCaches = hostService<EmbeddingCaches>('embedding caches', (host) => {
  const { config, dataDir } = host;
  const open = new Map<string, EmbeddingCache>();
  const caches: EmbeddingCaches = {
    of(tenant) {
      const known = open.get(tenant);
      if (known) return known;
      const made = config.data.backend === 'memory' ? createMemoryCache() : createSqliteCache(tenantHome(dataDir, tenant));
      open.set(tenant, made);
      const [oldest] = open;
      if (open.size > MOST_OPEN && oldest) {
        oldest[1].close();
        open.delete(oldest[0]);
      }
      return made;
    },
    release(tenant) {
      open.get(tenant)?.close();
      open.delete(tenant);
    },
    [Symbol.dispose]() {
      for (const cache of open.values()) cache.close();
      open.clear();
    },
  };
  host.get(tenantOwners).add(caches);
  return caches;
});

/** A cache that ends with the process. */
export function createMemoryCache(most = MOST_CACHED_BYTES): EmbeddingCache {
  const vectors = new Map<string, Float32Array>();
  let bytes = 0;
  return {
    get: (hashes) =>
      hashes.map((hash) => {
        const vector = vectors.get(hash);
        if (vector) {
          vectors.delete(hash);
          vectors.set(hash, vector);
        }
        return vector;
      }),
    put(entries) {
      for (const [hash, vector] of entries) {
        if (vectors.has(hash)) continue;
        vectors.set(hash, vector);
        bytes += vector.byteLength;
      }
      for (const [hash, vector] of vectors) {
        if (bytes <= most) break;
        vectors.delete(hash);
        bytes -= vector.byteLength;
      }
    },
    close: () => vectors.clear(),
  };
}
