import type { McpServerConfig } from '../../config/config.ts';
import { ScriptError } from '../../errors.ts';
import { type Connection, connect } from './connect.ts';
import { mcpFailed, sessionGone, translateFailure } from './failure.ts';
import type { Offers } from './offer.ts';
import { ServerEnded } from './stdio.ts';

export interface ServerOptions {
  readonly name: string;
  readonly config: McpServerConfig;
  /** Hears what a program writes to its standard error. */
  readonly onLog: (line: string) => void;
}

/** A list that is older is asked for again before it is relied on. */
const LIST_AGE_MS = 60_000;
/** How long a server that let a call run into its time may take to show that it is alive. */
const SUSPECT_MS = 1_000;
/** After this many failed starts in a row a server is left alone for a while. */
const MOST_FAILED_STARTS = 3;
const LEAVE_ALONE_MS = 5_000;

type CallResult = Awaited<ReturnType<Connection['call']>>;

/** One configured server: started at first use, shared by all runs, and started again at the next use when it has ended. */
export class McpServer {
  readonly name: string;
  readonly config: McpServerConfig;
  readonly #onLog: (line: string) => void;
  #opening: Promise<Connection> | undefined;
  #connection: Connection | undefined;
  #offers: { readonly offers: Offers; readonly at: number } | undefined;
  #listing: Promise<Offers> | undefined;
  /** How often the server told that its list has changed. */
  #changes = 0;
  #calls = 0;
  #suspect = false;
  readonly #ending = new Set<Promise<void>>();
  #failedStarts = 0;
  #failedAt = 0;
  #closed = false;

  constructor({ name, config, onLog }: ServerOptions) {
    this.name = name;
    this.config = config;
    this.#onLog = onLog;
  }

  /** What the server offers, from its own mouth within the last minute. Throws TOOL_FAILED when it cannot be had. */
  async offers(): Promise<Offers> {
    const connection = await this.#open();
    if (this.#offers && performance.now() - this.#offers.at < LIST_AGE_MS) return this.#offers.offers;
    this.#listing ??= this.#list(connection).finally(() => {
      this.#listing = undefined;
    });
    return this.#listing;
  }

  /** Calls a tool; aborting the signal cancels the call at the server. Throws TOOL_FAILED, or the signal's reason. */
  async call(tool: string, args: Record<string, unknown>, signal: AbortSignal): Promise<CallResult> {
    for (let again = false; ; again = true) {
      const connection = await this.#open();
      if (signal.aborted) throw signal.reason;
      this.#calls++;
      try {
        return await connection.call(tool, args, signal);
      } catch (error) {
        if (signal.aborted) {
          // A server that let a call run into its time is asked for its list before the next one, which tells whether it is alive.
          this.#offers = undefined;
          this.#suspect = true;
          throw signal.reason;
        }
        if (!again && (error instanceof ServerEnded || (this.config.url !== undefined && sessionGone(error)))) {
          this.#drop(connection);
          continue;
        }
        if (connection.closed || typeof (error as { code?: unknown }).code !== 'number') this.#settle(connection);
        throw translateFailure(this.name, error, connection.problem, true);
      } finally {
        this.#calls--;
      }
    }
  }

  /** Ends a program at once, for when the process ends. */
  kill: () => void = () => undefined;

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const connection = await this.#opening?.catch(() => undefined);
    await Promise.all([connection?.close(), ...this.#ending]);
  }

  async #list(first: Connection): Promise<Offers> {
    for (let connection = first; ; ) {
      try {
        const { start_timeout_ms } = this.config;
        const changes = this.#changes;
        const offers = await connection.list(this.#suspect ? Math.min(SUSPECT_MS, start_timeout_ms) : start_timeout_ms);
        this.#suspect = false;
        // A list that changed while it was on its way is asked for again at the next use.
        if (changes === this.#changes) this.#offers = { offers, at: performance.now() };
        return offers;
      } catch (error) {
        // A server that is busy with somebody's call is not dead.
        if (this.#calls > 0 && !connection.closed) throw translateFailure(this.name, error, connection.problem, false);
        const failure = translateFailure(this.name, error, connection.problem, false);
        this.#drop(connection);
        if (connection !== first) throw failure;
        const next = await this.#open();
        if (next === first) throw failure;
        connection = next;
      }
    }
  }

  async #open(): Promise<Connection> {
    if (this.#closed) throw new ScriptError('CANCELLED', 'the runtime is closed');
    if (this.#connection?.closed) this.#forget(this.#connection);
    this.#opening ??= this.#start();
    return this.#opening;
  }

  async #start(): Promise<Connection> {
    if (this.#failedStarts >= MOST_FAILED_STARTS && performance.now() - this.#failedAt < LEAVE_ALONE_MS) {
      this.#opening = undefined;
      throw mcpFailed(this.name, `could not be started ${this.#failedStarts} times in a row and is left alone for ${LEAVE_ALONE_MS} ms`, {
        outcome: 'not_sent',
        retryable: true,
      });
    }
    try {
      const connection = await connect(this.name, this.config, {
        onLog: this.#onLog,
        onStart: (kill) => {
          this.kill = kill;
        },
        onListChanged: () => {
          this.#changes++;
          this.#offers = undefined;
        },
      });
      this.#connection = connection;
      this.#failedStarts = 0;
      return connection;
    } catch (error) {
      this.#opening = undefined;
      this.#failedStarts++;
      this.#failedAt = performance.now();
      throw error;
    }
  }

  /** Forgets a connection that has ended; one of HTTP, which never tells, is forgotten after any failure. */
  #settle(connection: Connection): void {
    if (connection.closed) this.#forget(connection);
    else if (this.config.url !== undefined && this.#calls <= 1) this.#drop(connection);
  }

  /** Forgets a connection and ends it, which nobody has to wait for. */
  #drop(connection: Connection): void {
    this.#forget(connection);
    const ending = connection
      .close()
      .catch(() => undefined)
      .finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }

  #forget(connection: Connection): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    this.#opening = undefined;
    this.#offers = undefined;
    this.#suspect = false;
  }
}
