/** Runs something at most once in a time, one after another, and once more after the last wish. */
export class Paced {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isRunning = false;
  #isWished = false;
  #isStopped = false;
  #next = 0;

  /** `each`: milliseconds from the end of one run to the next. `run` keeps its errors to itself. */
  constructor(
    private readonly each: number,
    private readonly run: () => Promise<void>,
  ) {}

  wish(): void {
    if (this.#isStopped) return;
    if (this.#isRunning) this.#isWished = true;
    // The clock of the day may be set back, and then nothing would run until it is as late again.
    else this.#timer ??= setTimeout(() => void this.#go(), Math.max(0, this.#next - performance.now()));
  }

  /** No wish is heard any more. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  async #go(): Promise<void> {
    this.#timer = undefined;
    this.#isRunning = true;
    this.#isWished = false;
    await this.run();
    this.#isRunning = false;
    this.#next = performance.now() + this.each;
    if (this.#isWished) this.wish();
  }
}
