// Who is logged in, and what went wrong last.

import { ask, get, post, Refused, type Me } from "./api";

class Session {
  /** Nobody yet; `null` once it is known that nobody is. */
  me = $state<Me | null | undefined>(undefined);
  /** What is told until it is closed. */
  error = $state("");

  async look(): Promise<void> {
    try {
      this.me = await get<Me>("/me");
    } catch (error) {
      // A node that cannot be reached says nothing of who is logged in.
      if (error instanceof Refused || !this.me) this.me = null;
    }
  }

  async begin(name: string, password: string): Promise<void> {
    await post("/session", { name, password });
    await this.look();
  }

  async end(): Promise<void> {
    await post("/logout").catch(() => {});
    this.me = null;
  }

  may(scope: string): boolean {
    return this.me?.scopes.includes(scope) ?? false;
  }

  /** Does something, and tells what the node says against it; whether it was done. */
  async try(method: string, path: string, body?: Record<string, unknown>): Promise<boolean> {
    try {
      await ask(method, path, body);
      this.error = "";
      return true;
    } catch (error) {
      this.tell(error);
      return false;
    }
  }

  tell(error: unknown): void {
    if (error instanceof Refused && error.status === 401) this.me = null;
    this.error = error instanceof Error ? error.message : String(error);
  }
}

export const session = new Session();
