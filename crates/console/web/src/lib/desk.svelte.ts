// An agent's own state as the node has it, and whom it talks with.

import { get, part, type Agent, type Caller } from "./api";
import { Events } from "./events";
import { Paced } from "./paced";
import { session } from "./session.svelte";

/** Milliseconds between two looks, however much happens. */
const AT_MOST_EACH = 100;
/** Milliseconds between two looks without an event: what its queues have counted. */
const AT_LEAST_EACH = 15_000;

export class Desk {
  agent = $state.raw<Agent | undefined>();
  caller = $state.raw<Caller | undefined>();
  /** Milliseconds since 1970 of what is shown. */
  at = $state(0);
  isLive = $state(false);
  /** What was wrong with the last look, until a good one. */
  trouble = $state("");

  readonly #look = new Paced(AT_MOST_EACH, () => this.#read());
  readonly #events: Events;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(private readonly name: string) {
    this.#events = new Events({ kinds: "agent_changed" }, () => this.#look.wish(), (isLive) => {
      this.isLive = isLive;
      if (isLive) this.#look.wish();
      else void session.look();
    });
    this.#timer = setInterval(() => this.#look.wish(), AT_LEAST_EACH);
    this.#look.wish();
  }

  close(): void {
    this.#events.close();
    clearInterval(this.#timer);
    this.#look.stop();
  }

  /** Has the agent do something. */
  async order(order: string, body: Record<string, unknown> = {}): Promise<void> {
    await session.try("POST", `/agents/${part(this.name)}/${order}`, body);
    this.#look.wish();
  }

  async #read(): Promise<void> {
    try {
      const agents = await get<Agent[]>("/agents");
      const agent = agents.find((it) => it.agent === this.name);
      // What came of the last call is shown until it is written up.
      if (agent?.contact != null) this.caller = await get<Caller>(`/agents/${part(this.name)}/contact`).catch(() => undefined);
      else if (agent?.state !== "wrap_up") this.caller = undefined;
      this.agent = agent;
      this.at = Date.now();
      this.trouble = "";
    } catch (error) {
      this.trouble = session.sentence(error);
    }
  }
}
