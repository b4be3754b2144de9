// The sound of a phone that rings: two tones of 425 Hz and its fifth, one second in three.

const TONES = [425, 637];
const RINGS = 1;
const EACH = 3;
const LOUDNESS = 0.08;

export class Ringer {
  #context: AudioContext | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;

  start(): void {
    this.stop();
    const context = new AudioContext();
    this.#context = context;
    this.#ring(context);
    this.#timer = setInterval(() => this.#ring(context), EACH * 1000);
  }

  stop(): void {
    clearInterval(this.#timer);
    void this.#context?.close();
    this.#context = undefined;
  }

  #ring(context: AudioContext): void {
    const [from, to] = [context.currentTime, context.currentTime + RINGS];
    const gain = new GainNode(context, { gain: 0 });
    gain.gain.linearRampToValueAtTime(LOUDNESS, from + 0.05);
    gain.gain.setValueAtTime(LOUDNESS, to - 0.1);
    gain.gain.linearRampToValueAtTime(0, to);
    gain.connect(context.destination);
    for (const frequency of TONES) {
      const tone = new OscillatorNode(context, { frequency });
      tone.connect(gain);
      tone.start(from);
      tone.stop(to);
    }
  }
}
