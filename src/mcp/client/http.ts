/** What one answer may hold, streams of events included. */
const MOST_ANSWER_BYTES = 32 * 2 ** 20;

type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

/** A fetch whose answers break off with an error when they are longer than 32 MB; calls `onFlood` then. */
export function boundedFetch(onFlood: () => void): Fetch {
  return async (url, init) => {
    const { body, status, statusText, headers } = await fetch(url, init);
    if (!body) return new Response(null, { status, statusText, headers });
    let size = 0;
    const counted = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        size += chunk.byteLength;
        if (size <= MOST_ANSWER_BYTES) return controller.enqueue(chunk);
        onFlood();
        controller.error(new Error(`an answer of more than ${MOST_ANSWER_BYTES / 2 ** 20} MB`));
      },
    });
    return new Response(body.pipeThrough(counted), { status, statusText, headers });
  };
}
