// The event log as it grows. A connection that is lost comes again, and what happened meanwhile is not told: each page looks at
// the whole anew whenever `live` says that the connection stands.

import type { Told } from "./api";

/** Milliseconds until a lost connection is tried again: doubled each time, up to the second. */
const AGAIN = [250, 8000] as const;

export class Events {
  #socket: WebSocket | undefined;
  #again: number = AGAIN[0];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  /** `which`: `kinds` or `contact`; `told` hears of each, `live` whether the connection stands. */
  constructor(
    private readonly which: Record<string, string>,
    private readonly told: (event: Told) => void,
    private readonly live: (isLive: boolean) => void,
  ) {
    this.#open();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
  }

  #open(): void {
    const query = new URLSearchParams(this.which);
    const url = new URL(`/events/stream?${query}`, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#take(JSON.parse(String(data)) as Told | { after: number });
    socket.onclose = () => this.#lost();
  }

  #take(message: Told | { after: number }): void {
    if ("after" in message) {
      this.#again = AGAIN[0];
      this.live(true);
      return;
    }
    this.told(message);
  }

  #lost(): void {
    if (this.#closed) return;
    this.live(false);
    this.#timer = setTimeout(() => this.#open(), this.#again);
    this.#again = Math.min(this.#again * 2, AGAIN[1]);
  }
}
