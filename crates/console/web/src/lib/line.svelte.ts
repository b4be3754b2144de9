// Whether the agent's phone, which a desk has, is in a call: nothing may take the desk away then.

import type { Phone } from "./phone.svelte";

class Line {
  phone = $state.raw<Phone | undefined>();

  get isUp(): boolean {
    return this.phone !== undefined && this.phone.call !== "none";
  }
}

export const line = new Line();
