// An agent's own state as the node has it, and whom it talks with.

import { get, part, type Agent, type Caller } from "./api";
import { Events } from "./events";
import { session } from "./session.svelte";

/** Milliseconds between two looks without an event: what its queues have counted. */
const AT_LEAST_EACH = 15_000;

export class Desk {
  agent = $state.raw<Agent | undefined>();
  caller = $state.raw<Caller | undefined>();
  /** Milliseconds since 1970 of what is shown. */
  at = $state(0);
  isLive = $state(false);

  readonly #events: Events;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(private readonly name: string) {
    this.#events = new Events({ kinds: "agent_changed" }, () => void this.look(), (isLive) => {
      this.isLive = isLive;
      void (isLive ? this.look() : session.look());
    });
    this.#timer = setInterval(() => void this.look(), AT_LEAST_EACH);
    void this.look();
  }

  close(): void {
    this.#events.close();
    clearInterval(this.#timer);
  }

  /** Has the agent do something. */
  async order(order: string, body: Record<string, unknown> = {}): Promise<void> {
    await session.try("POST", `/agents/${part(this.name)}/${order}`, body);
    await this.look();
  }

  async look(): Promise<void> {
    try {
      const agents = await get<Agent[]>("/agents");
      const agent = agents.find((it) => it.agent === this.name);
      // What came of the last call is shown until it is written up.
      if (agent?.contact != null) this.caller = await get<Caller>(`/agents/${part(this.name)}/contact`).catch(() => undefined);
      else if (agent?.state !== "wrap_up") this.caller = undefined;
      this.agent = agent;
      this.at = Date.now();
    } catch (error) {
      if (this.isLive) session.tell(error);
    }
  }
}
