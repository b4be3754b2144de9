// The calls that this page's supervisor is with: known to each button, and for longer than a dialog is open.

import { SvelteSet } from "svelte/reactivity";
import { part, type Told } from "./api";
import { session } from "./session.svelte";
import { settings } from "./settings.svelte";

/** There is no such supervision. */
const GONE = [404, 409];

class Supervision {
  readonly #contacts = new SvelteSet<number>();

  isWith(contact: number | null): boolean {
    return contact !== null && this.#contacts.has(contact);
  }

  /** Who is with the call already goes on in another way. */
  async go(contact: number, mode: string): Promise<void> {
    const isWithIt = this.isWith(contact);
    const body = isWithIt ? { mode } : { mode, user: settings.phone };
    const status = await session.ask(isWithIt ? "PATCH" : "POST", pathOf(contact), body);
    if (status === 200) this.#contacts.add(contact);
    else if (isWithIt && GONE.includes(status)) this.#contacts.delete(contact);
  }

  async leave(contact: number): Promise<void> {
    const status = await session.ask("DELETE", pathOf(contact));
    if (status === 200 || GONE.includes(status)) this.#contacts.delete(contact);
  }

  /** What happens with a call says who is with it. */
  hear({ contact, what }: Told): void {
    if (contact === null) return;
    const user = String(what["user"]).split("@")[0];
    if (what.kind === "supervision_started" && user === settings.phone) this.#contacts.add(contact);
    if (what.kind === "supervision_ended" || what.kind === "contact_ended") this.#contacts.delete(contact);
  }
}

const pathOf = (contact: number): string => `/calls/${part(contact)}/supervise`;

export const supervision = new Supervision();
