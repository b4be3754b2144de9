// One clock for all that counts on a page.

class Clock {
  /** Milliseconds since 1970, each second. */
  now = $state(Date.now());

  constructor() {
    setInterval(() => (this.now = Date.now()), 1000);
  }
}

export const clock = new Clock();

/** `4:07`, `1:02:03`. */
export function face(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value: number) => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** `83 %`; a dash where there is none. */
export const percent = (share: number | null | undefined): string =>
  share === null || share === undefined ? "–" : `${Math.round(share * 100)} %`;

/** The same for seconds, as a clock shows them. */
export const lasted = (seconds: number | null | undefined): string =>
  seconds === null || seconds === undefined ? "–" : face(seconds);
