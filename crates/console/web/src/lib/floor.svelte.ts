// The floor as it is now: who waits, who takes calls, and what came of today.
//
// Each event that may change it asks for it anew, at most some times a second, so that what is shown is what the node itself
// counts: no page adds up events of its own.

import { get, type Agent, type Queue, type ReportRow, type Told, type Waiting } from "./api";
import { Events } from "./events";
import { Paced } from "./paced";
import { session } from "./session.svelte";
import { supervision } from "./supervision.svelte";

/** What can change what waits, or what agents do. */
const KINDS = [
  "agent_changed",
  "callback_ended",
  "callback_failed",
  "callback_kept",
  "callback_tried",
  "caller_directed",
  "config_applied",
  "contact_ended",
  "queue_entered",
  "queue_left",
  "queue_offer_ended",
  "queue_offered",
  "registered",
  "supervision_changed",
  "supervision_ended",
  "supervision_started",
  "unregistered",
] as const;
/** Milliseconds between two looks at the floor, however much happens. */
const AT_MOST_EACH = 250;
/** And between two looks at the figures of today, which cost the node more. */
const FIGURES_EACH = 3_000;
/** What only time changes (estimates, the day) is looked at so often. */
const AT_LEAST_EACH = 15_000;

export interface Row {
  queue: Queue;
  today: ReportRow | undefined;
}

export type Caller = Waiting & { queue: string };

/** How bad something is. */
export type Level = "" | "good" | "warn" | "bad";

export class Floor {
  queues = $state.raw<Queue[]>([]);
  agents = $state.raw<Agent[]>([]);
  reports = $state.raw<Map<string, ReportRow>>(new Map());
  /** Milliseconds since 1970 of what is shown. */
  at = $state(0);
  isLive = $state(false);
  /** What was wrong with the last look at each, until a good one. */
  troubles = $state({ floor: "", figures: "" });

  readonly #look = new Paced(AT_MOST_EACH, () => this.#readFloor());
  readonly #count = new Paced(FIGURES_EACH, () => this.#readFigures());
  readonly #events: Events;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor() {
    const changed = () => {
      this.#look.wish();
      this.#count.wish();
    };
    const told = (event: Told) => {
      supervision.hear(event);
      changed();
    };
    this.#events = new Events({ kinds: KINDS.join(",") }, told, (isLive) => {
      this.isLive = isLive;
      if (isLive) changed();
      else void session.look();
    });
    this.#timer = setInterval(changed, AT_LEAST_EACH);
    changed();
  }

  close(): void {
    this.#events.close();
    clearInterval(this.#timer);
    this.#look.stop();
    this.#count.stop();
  }

  /** The queues of one client, or all, with their figures of today. */
  rows(client: string): Row[] {
    const queues = this.queues.filter((it) => !client || clientOf(it.queue) === client);
    return queues.map((queue) => ({ queue, today: this.reports.get(queue.queue) }));
  }

  agentsOf(client: string): Agent[] {
    return this.agents.filter((it) => !client || it.queues.some((queue) => clientOf(queue) === client));
  }

  callersOf(client: string): Caller[] {
    const callers = this.rows(client).flatMap(({ queue }) => queue.waiting.map((it) => ({ ...it, queue: queue.queue })));
    return callers.sort((a, b) => b.seconds - a.seconds);
  }

  clients(): string[] {
    return [...new Set(this.queues.map((it) => clientOf(it.queue)))].sort();
  }

  async #readFloor(): Promise<void> {
    try {
      [this.queues, this.agents] = await Promise.all([get<Queue[]>("/queues"), get<Agent[]>("/agents")]);
      this.at = Date.now();
      this.troubles.floor = "";
    } catch (error) {
      this.troubles.floor = session.sentence(error);
    }
  }

  async #readFigures(): Promise<void> {
    if (!session.may("report")) return;
    // An account of several clients has to name one.
    const clients = session.me?.clients.length ? session.me.clients : [""];
    try {
      const reports = await Promise.all(
        clients.map((client) =>
          get<{ rows: ReportRow[] }>(`/reports/queues${client && `?client=${encodeURIComponent(client)}`}`),
        ),
      );
      this.reports = new Map(reports.flatMap(({ rows }) => rows.map((row) => [row.name, row])));
      this.troubles.figures = "";
    } catch (error) {
      this.troubles.figures = session.sentence(error);
    }
  }
}

export const clientOf = (queue: string): string => queue.split("/")[0] ?? "";
export const nameOf = (queue: string): string => queue.split("/").slice(1).join("/");

/** How bad a wait is: beyond the time of the service level, and beyond twice that. */
export function levelOfWait(seconds: number, within: number): Level {
  if (seconds > within * 2) return "bad";
  return seconds > within ? "warn" : "";
}

/** How good a service level is: as wanted, ten points below that, or worse. */
export function levelOfService({ value, target }: ReportRow["service_level"]): Level {
  if (value === null) return "";
  if (value >= target) return "good";
  return value >= target - 0.1 ? "warn" : "bad";
}

/** The time of a queue's service level, where nothing is counted yet. */
export const USUAL_WITHIN = 20;
