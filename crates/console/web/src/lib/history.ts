// A call's events as rows of a ladder: which line of life each is of, and what is said beside it.

import type { Party, Told } from "./api";

/** A line of life. Ringdown's is 0. */
export interface Lane {
  name: string;
}

export interface Row {
  seq: number;
  /** Seconds since the call began. */
  at: number;
  /** An arrow from one lane to another. */
  arrow?: { from: number; to: number; label: string; kind: "sip" | "media" | "bridge" };
  /** What happened, where no arrow says it. */
  note?: string;
  /** Of what kind: for its colour. */
  tone: "" | "flow" | "queue" | "end";
}

export interface Ladder {
  lanes: Lane[];
  rows: Row[];
}

type What = Told["what"];

const text = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

function nameOf(party: Party): string {
  if (party === "uri") return "SIP";
  return "trunk" in party ? party.trunk : party.user;
}

/** `answered (anna)`, `abandoned` */
export function wordOf(outcome: unknown): string {
  if (typeof outcome === "string") return outcome.replaceAll("_", " ");
  if (outcome === null || typeof outcome !== "object") return String(outcome);
  return Object.entries(outcome)
    .map(([name, value]) => `${name.replaceAll("_", " ")} (${String(value)})`)
    .join(", ");
}

/** What is said of an event that has no arrow; nothing for those that others show already. */
const NOTES: Record<string, (what: What) => [string, Row["tone"]]> = {
  contact_started: (it) => [`${text(it["from"])} → ${text(it["to"])}, ${text(it["client"])}`, ""],
  caller_verified: (it) => [`STIR/SHAKEN: ${text(it["verstat"])}`, ""],
  flow_step: (it) => [`${text(it["step"])}  ${text(it["file"]).split("/").pop()}:${String(it["line"])}`, "flow"],
  flow_branch: (it) => [`${text(it["verb"])}: ${text(it["branch"])}`, "flow"],
  play_failed: (it) => [text(it["error"]), "end"],
  http_ended: (it) => [`${text(it["method"])} ${text(it["server"])}: ${String(it["status"] ?? it["error"])}`, "flow"],
  dial_started: (it) => [`dial ${(it["targets"] as string[]).join(", ")}`, "flow"],
  dial_ended: (it) => [`dial: ${wordOf(it["outcome"])}`, "flow"],
  queue_entered: (it) => [`waits in ${text(it["queue"])}, priority ${String(it["priority"])}`, "queue"],
  queue_offered: (it) => [`offered to ${text(it["agent"])}: ${text(it["why"])}`, "queue"],
  queue_offer_ended: (it) => [`${text(it["agent"])}: ${wordOf(it["outcome"])}`, "queue"],
  queue_left: (it) => [`left ${text(it["queue"])}: ${wordOf(it["outcome"])}`, "queue"],
  caller_directed: (it) => [`${text(it["order"])}, by ${text(it["by"])}`, "queue"],
  callback_kept: () => ["is to be called back", "queue"],
  callback_ended: (it) => [`callback: ${wordOf(it["outcome"])}`, "queue"],
  supervision_started: (it) => [`${text(it["user"])} supervises: ${wordOf(it["mode"])}`, ""],
  supervision_changed: (it) => [`${text(it["user"])} supervises: ${wordOf(it["mode"])}`, ""],
  supervision_ended: (it) => [`${text(it["user"])} supervises no longer: ${text(it["reason"])}`, ""],
  recording_started: (it) => [`recorded: ${text(it["path"]).split("/").pop()}`, ""],
  recording_hushed: (it) => [`recording ${it["mask"] ? "masked" : "paused"}`, ""],
  recording_consent: (it) => [`the caller ${it["given"] ? "may" : "may not"} be recorded`, ""],
  recording_resumed: () => ["recording goes on", ""],
  recording_ended: (it) => [`recording: ${(Number(it["millis"]) / 1000).toFixed(1)} s`, ""],
  transfer_started: (it) => [`transfer to ${text(it["to"])}${it["consult"] ? ", asked first" : ""}`, "flow"],
  transfer_ended: (it) => [`transfer: ${wordOf(it["outcome"])}`, "flow"],
  held: () => ["on hold", ""],
  resumed: () => ["goes on", ""],
  media_one_way: (it) => [`media flows one way: ${wordOf(it["missing"])}`, "end"],
  media_silent: (it) => [`no media for ${String(it["millis"])} ms`, "end"],
  leg_lost: () => ["nothing comes of the page any more", "end"],
  leg_back: () => ["the page is back", ""],
  leg_replaced: () => ["another phone or page goes on", ""],
  requested: (it) => [`${text(it["method"])} ${text(it["path"])}: ${String(it["status"])}, by ${text(it["by"])}`, ""],
  room_entered: (it) => [`room ${text(it["room"])}`, ""],
  room_left: (it) => [`left room ${text(it["room"])}`, ""],
  contact_ended: () => ["ended", "end"],
};

export function ladderOf(events: readonly Told[]): Ladder {
  const lanes: Lane[] = [{ name: "Ringdown" }];
  const laneOf = new Map<number, number>();
  const rows: Row[] = [];
  const began = events[0]?.at ?? 0;
  for (const { seq, at, what } of events) {
    const leg = what["leg"] as number | undefined;
    if (leg !== undefined && (what.kind === "leg_started" || what.kind === "leg_joined")) {
      laneOf.set(leg, lanes.push({ name: nameOf(what["party"] as Party) }) - 1);
      continue;
    }
    const row = rowOf(what, (it) => laneOf.get(it as number) ?? 0);
    if (row) rows.push({ ...row, seq, at: (at - began) / 1e6 });
  }
  return { lanes, rows };
}

function rowOf(what: What, lane: (leg: unknown) => number): Omit<Row, "seq" | "at"> | undefined {
  const there = lane(what["leg"]);
  switch (what.kind) {
    case "sip": {
      const label = `${text(what["line"])}${what["sdp"] ? " (SDP)" : ""}${what["again"] ? " again" : ""}`;
      const [from, to] = what["direction"] === "received" ? [there, 0] : [0, there];
      return { arrow: { from, to, label, kind: "sip" }, tone: "" };
    }
    case "media_started":
      return { arrow: { from: there, to: 0, label: `RTP ${text(what["peer"])}`, kind: "media" }, tone: "" };
    case "digit":
      return { arrow: { from: there, to: 0, label: `key ${text(what["digit"])}`, kind: "media" }, tone: "" };
    case "bridged":
      return { arrow: { from: lane(what["a"]), to: lane(what["b"]), label: "bridged", kind: "bridge" }, tone: "" };
    case "unbridged":
      return { arrow: { from: lane(what["a"]), to: lane(what["b"]), label: "no longer bridged", kind: "media" }, tone: "" };
    case "leg_ended": {
      const { by, reason } = what["cause"] as { by: string; reason: string };
      return { arrow: { from: there, to: there, label: `${reason}, by ${by}`, kind: "sip" }, tone: "end" };
    }
  }
  const note = NOTES[what.kind]?.(what);
  return note && { note: note[0], tone: note[1] };
}
