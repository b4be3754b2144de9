// What the node is asked, and what it says: the shapes are those of its document (`/openapi.json`).

import { t } from "./words";

export interface Me {
  name: string;
  role: "operator" | "administrator" | "supervisor" | "agent" | "auditor" | "integrator";
  clients: string[];
  agent?: string;
  scopes: string[];
}

export type AgentState =
  | "logged_out"
  | "ready"
  | "paused"
  | "ringing"
  | "reserved"
  | "talking"
  | "busy"
  | "wrap_up"
  | "unreachable";

export interface Agent {
  agent: string;
  state: AgentState;
  reason: string | null;
  contact: number | null;
  seconds: number;
  seconds_left: number | null;
  phone: string | null;
  misses: number;
  handled: number;
  talked_seconds: number;
  /** `client/queue` */
  queues: string[];
}

export interface Waiting {
  contact: number;
  from: string | null;
  position: number;
  seconds: number;
  estimate_seconds: number | null;
  priority: number;
  offered: string[];
  callback: boolean;
}

export interface Queue {
  /** `client/queue` */
  queue: string;
  longest_seconds: number;
  agents: Record<"logged_out" | "ready" | "paused" | "ringing" | "talking" | "busy" | "wrap_up" | "unreachable", number>;
  waiting: Waiting[];
}

export interface ReportRow {
  name: string;
  service_level: { value: number | null; target: number; within_seconds: number; formula: string; means: string };
  figures: Record<string, number | null>;
}

/** A stay of a caller in a queue. */
export interface Visit {
  contact: number;
  client: string;
  queue: string | null;
  caller: string;
  number: string;
  /** Milliseconds since 1970. */
  arrived: number;
  waited_before: number;
  /** Milliseconds after `arrived`. */
  left: number | null;
  outcome: string | Record<string, string>;
}

export interface Caller {
  contact: number;
  client: string;
  queue: string | null;
  from: string;
  to: string;
  flow: string;
  waits_since: string | null;
  answered: string | null;
}

export interface PhoneAccess {
  user: string;
  display_name: string | null;
  realm: string;
  ha1: string;
  transport: "ws" | "wss";
  port: number;
}

export interface Told {
  seq: number;
  /** Microseconds since the log began. */
  at: number;
  utc: string;
  contact: number | null;
  what: { kind: string } & Record<string, unknown>;
}

export interface Moment {
  at: number;
  utc: string;
}

export interface LegRecord {
  leg: number;
  direction: "inbound" | "outbound";
  party: Party;
  codec: string | null;
  ringing: Moment | null;
  answered: Moment | null;
  ended: Moment;
  cause: { by: string; status: number | null; reason: string };
  hold_millis: number;
  media: {
    received: number;
    sent: number;
    lost: number;
    jitter_micros: number | null;
    quality: { mos_hundredths: number | null; round_trip_micros: number | null; concealed_permille: number | null };
  } | null;
}

export type Party = "uri" | { trunk: string } | { user: string };

export interface Cdr {
  contact: number;
  source: string;
  client: string;
  from: string;
  to: string;
  flow: string;
  started: Moment;
  answered: Moment | null;
  ended: Moment;
  disposition: string;
  legs: LegRecord[];
  recordings: { leg: number; path: string; millis: number | null; error: string | null }[];
}

export interface Recording {
  recording: number;
  seconds: number | null;
  /** Why it is kept, whatever else is wanted. */
  held: string | null;
  erased: string | null;
}

/** The node has said no, in one sentence. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    sentence: string,
  ) {
    super(sentence);
  }
}

/** Milliseconds for which an answer may take. */
const PATIENCE = 10_000;

type Body = Record<string, unknown>;

/** One request. What changes something says that a page of the node wants it. */
export async function ask<T>(method: string, path: string, body?: Body): Promise<T> {
  const signal = AbortSignal.timeout(PATIENCE);
  const request: RequestInit = { method, headers: { "X-Ringdown": "1" }, cache: "no-store", signal };
  if (body) {
    request.body = JSON.stringify(body);
    request.headers = { ...request.headers, "Content-Type": "application/json" };
  }
  const response = await fetch(path, request).catch(unanswered);
  if (response.ok) {
    const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
    return (isJson ? response.json() : response.text()).catch(unanswered) as Promise<T>;
  }
  const said = (await response.json().catch(() => ({}))) as { error?: string };
  throw new Refused(response.status, said.error ?? response.statusText);
}

/** What browsers say of it differs, and is about a `signal` or a `fetch`. */
function unanswered(): never {
  throw new Error(t("noAnswer"));
}

export const get = <T>(path: string): Promise<T> => ask("GET", path);
export const post = <T>(path: string, body: Body = {}): Promise<T> => ask("POST", path, body);

/** A part of a path. */
export const part = (text: string | number): string => encodeURIComponent(text);
