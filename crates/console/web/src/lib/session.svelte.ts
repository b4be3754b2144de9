// Who is logged in, and what went wrong last.

import { ask, get, post, Refused, type Me } from "./api";
import { t } from "./words";

/** Milliseconds until a node that has not said who is logged in is asked again: doubled each time, up to the second. */
const AGAIN = [500, 10_000] as const;

class Session {
  /** Nobody yet; `null` once it is known that nobody is. */
  me = $state<Me | null | undefined>(undefined);
  /** What is told until it is closed. */
  error = $state("");

  #again: number = AGAIN[0];
  #timer: ReturnType<typeof setTimeout> | undefined;

  async look(): Promise<void> {
    clearTimeout(this.#timer);
    try {
      this.me = await get<Me>("/me");
      this.#again = AGAIN[0];
    } catch (error) {
      if (isOut(error)) {
        this.me = null;
        return;
      }
      // A node that cannot be reached, or a proxy that speaks for it, says nothing of who is logged in.
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => void this.look(), this.#again);
      this.#again = Math.min(this.#again * 2, AGAIN[1]);
    }
  }

  async begin(name: string, password: string): Promise<void> {
    await post("/session", { name, password });
    this.error = "";
    try {
      this.me = await get<Me>("/me");
    } catch (error) {
      throw isOut(error) ? new Error(t("notKept")) : error;
    }
  }

  /** Who could not be logged out still is logged in, and is told so. */
  async end(): Promise<void> {
    if (await this.try("POST", "/logout", {})) this.me = null;
  }

  may(scope: string): boolean {
    return this.me?.scopes.includes(scope) ?? false;
  }

  /** Does something, and tells what the node says against it; whether it was done. */
  async try(method: string, path: string, body?: Record<string, unknown>): Promise<boolean> {
    return (await this.ask(method, path, body)) === 200;
  }

  /** The same, and the status: 200 if it was done, 0 without an answer. */
  async ask(method: string, path: string, body?: Record<string, unknown>): Promise<number> {
    try {
      await ask(method, path, body);
      this.error = "";
      return 200;
    } catch (error) {
      this.tell(error);
      return error instanceof Refused ? error.status : 0;
    }
  }

  tell(error: unknown): void {
    this.error = this.sentence(error);
  }

  /** What an error says. A 401, and nothing else, says that nobody is logged in. */
  sentence(error: unknown): string {
    if (isOut(error)) this.me = null;
    return error instanceof Error ? error.message : String(error);
  }
}

const isOut = (error: unknown): boolean => error instanceof Refused && error.status === 401;

export const session = new Session();
