// The agent's phone: SIP over WebSocket (RFC 7118) by SIP.js, its sound by WebRTC.

import {
  Registerer,
  RegistererState,
  RequestPendingError,
  SessionState,
  UserAgent,
  Web,
  type Invitation,
  type Session as Dialogue,
} from "sip.js";
import { post, Refused, type PhoneAccess } from "./api";
import { Ringer } from "./ringer";
import { session } from "./session.svelte";
import { t } from "./words";

/** Milliseconds until a lost connection is tried again: doubled each time, up to the second. */
const AGAIN = [500, 10_000] as const;
/** Milliseconds for which candidates are gathered: the node answers on one address, and needs none of them. */
const GATHERING = 2_000;
/** Milliseconds for which a key sounds. */
const TONE = 120;
/** Status codes from 400 to 499 after which the same may be asked again. */
const PASSING = [408, 425, 429];

const AUDIO: MediaTrackConstraints = { autoGainControl: true, echoCancellation: true, noiseSuppression: true };

export type Call = "none" | "ringing" | "active";

type Handler = Web.SessionDescriptionHandler;

export class Phone {
  isOn = $state(false);
  /** Why it is not on. */
  trouble = $state("");
  /** Whether it tries no more, until it is started again. */
  isGivenUp = $state(false);
  user = $state("");
  call = $state<Call>("none");
  isHeld = $state(false);
  isMute = $state(false);

  #agent: UserAgent | undefined;
  #registerer: Registerer | undefined;
  #session: Dialogue | undefined;
  #again: number = AGAIN[0];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;
  readonly #ringer = new Ringer();

  /** `speaker` plays whom the agent talks with. */
  constructor(private readonly speaker: HTMLAudioElement) {}

  /** Asks for the microphone, and registers; goes on trying until it is closed, or the node will not have it. */
  async start(): Promise<void> {
    this.isGivenUp = false;
    try {
      // Asked for now, so that nothing is asked when the first call comes. It is let go until then.
      const stream = await navigator.mediaDevices.getUserMedia({ audio: AUDIO });
      stream.getTracks().forEach((track) => track.stop());
    } catch (error) {
      this.#giveUp(t("microphone", String(error)));
      return;
    }
    if (!this.#isClosed) await this.#connect();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#ringer.stop();
    this.#drop();
  }

  async answer(): Promise<void> {
    const invitation = this.#session as Invitation | undefined;
    if (invitation?.state === SessionState.Initial) await this.#accept(invitation);
  }

  async end(): Promise<void> {
    const dialogue = this.#session;
    try {
      if (dialogue?.state === SessionState.Established) await dialogue.bye();
      else await (dialogue as Invitation | undefined)?.reject();
    } catch (error) {
      // It has ended meanwhile, or cannot be told.
      this.trouble = session.sentence(error);
    }
  }

  async hold(wanted: boolean): Promise<void> {
    const dialogue = this.#session;
    if (!dialogue) return;
    const options: Web.SessionDescriptionHandlerOptions = { hold: wanted };
    dialogue.sessionDescriptionHandlerOptionsReInvite = options;
    await new Promise<void>((resolve) => {
      const requestDelegate = {
        onAccept: () => {
          this.isHeld = wanted;
          resolve();
        },
        onReject: () => resolve(),
      };
      dialogue.invite({ requestDelegate }).catch(() => resolve());
    });
    this.#hear();
  }

  mute(wanted: boolean): void {
    this.isMute = wanted;
    for (const { track } of this.#connection()?.getSenders() ?? []) if (track) track.enabled = !wanted;
  }

  /** Presses a key in the call. */
  press(key: string): void {
    this.#session?.sessionDescriptionHandler?.sendDtmf(key, { duration: TONE });
  }

  async #connect(): Promise<void> {
    try {
      const access = await post<PhoneAccess>("/me/phone");
      if (this.#isClosed) return;
      const agent = this.#agentOf(access);
      this.#agent = agent;
      await agent.start();
      await this.#register(agent);
    } catch (error) {
      this.#drop();
      const why = session.sentence(error);
      const isFinal = error instanceof Refused && error.status >= 400 && error.status < 500 && !PASSING.includes(error.status);
      if (isFinal) this.#giveUp(why);
      else this.#lost(why);
    }
  }

  #agentOf({ user, realm, ha1, transport, port, display_name }: PhoneAccess): UserAgent {
    const uri = UserAgent.makeURI(`sip:${user}@${location.hostname}`);
    if (!uri) throw new Error(`sip:${user}@${realm}`);
    this.user = user;
    const agent: UserAgent = new UserAgent({
      uri,
      displayName: display_name ?? user,
      authorizationUsername: user,
      authorizationHa1: ha1,
      // A page that is loaded anew is to come back into its call, and must not end it.
      gracefulShutdown: false,
      logLevel: "error",
      transportOptions: { server: `${transport}://${location.hostname}:${port}` },
      sessionDescriptionHandlerFactoryOptions: {
        iceGatheringTimeout: GATHERING,
        peerConnectionConfiguration: { bundlePolicy: "balanced", iceServers: [], rtcpMuxPolicy: "require" },
      },
      // One that was let go takes a while to stop, and has no say meanwhile.
      delegate: {
        onInvite: (invitation) => {
          if (agent === this.#agent) this.#ring(invitation);
          else void invitation.reject();
        },
        onDisconnect: (error) => {
          if (agent === this.#agent) this.#lost(error?.message ?? "");
        },
      },
    });
    return agent;
  }

  /** Lets its agent go, and with it the call that is up. */
  #drop(): void {
    const agent = this.#agent;
    this.#agent = undefined;
    this.#registerer = undefined;
    // There may be no connection to say so by. The agent itself lets calls alone: see `gracefulShutdown`.
    const over = this.#session?.dispose() ?? Promise.resolve();
    void over.catch(() => {}).finally(() => void agent?.stop().catch(() => {}));
  }

  /** What a registerer takes for registered outlives a connection: each answer is heard, not each change. */
  async #register(agent: UserAgent): Promise<void> {
    if (agent !== this.#agent) return;
    const registerer = this.#registerer ?? this.#registererOf(agent);
    this.#registerer = registerer;
    await registerer.register({
      requestDelegate: {
        onAccept: () => {
          if (registerer === this.#registerer) this.#registered();
        },
        onReject: ({ message }) => this.#refused(registerer, `${message.statusCode} ${message.reasonPhrase}`),
      },
    });
  }

  /** It refreshes by itself, and says only by its state that this was refused, or has come too late. */
  #registererOf(agent: UserAgent): Registerer {
    const registerer = new Registerer(agent);
    registerer.stateChange.addListener((state) => {
      if (state !== RegistererState.Unregistered) return;
      // Later, since the answer to what was asked here comes just after the state, and says more.
      queueMicrotask(() => this.#refused(registerer, t("notRegistered")));
    });
    return registerer;
  }

  #registered(): void {
    this.isOn = true;
    this.trouble = "";
    this.#again = AGAIN[0];
  }

  /** Its password may be another one by now: it is asked for again, unless that would end a call. */
  #refused(registerer: Registerer, why: string): void {
    if (registerer !== this.#registerer) return;
    this.#registerer = undefined;
    if (!this.#session) this.#drop();
    this.#lost(why);
  }

  #lost(why: string): void {
    if (this.#isClosed) return;
    this.isOn = false;
    this.trouble = why;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#reconnect(), this.#again);
    this.#again = Math.min(this.#again * 2, AGAIN[1]);
  }

  #giveUp(why: string): void {
    clearTimeout(this.#timer);
    this.isOn = false;
    this.trouble = why;
    this.isGivenUp = true;
  }

  /** The call that is up goes on: its agent stays, and connects again. */
  async #reconnect(): Promise<void> {
    const agent = this.#agent;
    if (!agent) return this.#connect();
    try {
      await agent.reconnect();
      await this.#register(agent);
    } catch (error) {
      if (agent !== this.#agent) return;
      if (!this.#session) this.#drop();
      // What was asked over the lost connection gets no answer: another one asks.
      else if (error instanceof RequestPendingError) this.#registerer = undefined;
      this.#lost(session.sentence(error));
    }
  }

  #ring(invitation: Invitation): void {
    if (invitation.request.hasHeader("X-Resumes")) {
      this.#resume(invitation);
      return;
    }
    if (this.#session) {
      void invitation.reject({ statusCode: 486 });
      return;
    }
    this.#session = invitation;
    this.call = "ringing";
    this.#ringer.start();
    notify();
    invitation.stateChange.addListener((state) => {
      if (invitation !== this.#session) return;
      if (state === SessionState.Established) this.#begin();
      if (state === SessionState.Terminated) this.#over();
    });
    // RFC 5373 section 4.
    if (/^auto/i.test(invitation.request.getHeader("Answer-Mode") ?? "")) void this.answer();
  }

  /** The node lost this page in a call, and has it again. The call goes on as it was, and until then what there is of it stays. */
  #resume(invitation: Invitation): void {
    invitation.stateChange.addListener((state) => {
      if (state === SessionState.Established) {
        const before = this.#session;
        this.#session = invitation;
        this.#begin();
        if (this.isMute) this.mute(true);
        if (this.isHeld) void this.hold(true);
        // The node has let it go, and may have no way to say so.
        before?.dispose().catch(() => {});
      }
      if (state === SessionState.Terminated && invitation === this.#session) this.#over();
    });
    void this.#accept(invitation);
  }

  async #accept(invitation: Invitation): Promise<void> {
    try {
      await invitation.accept({ sessionDescriptionHandlerOptions: { constraints: { audio: AUDIO, video: false } } });
    } catch (error) {
      this.trouble = t("microphone", String(error));
    }
  }

  #begin(): void {
    this.#ringer.stop();
    this.call = "active";
    this.#hear();
  }

  #over(): void {
    this.#ringer.stop();
    this.#session = undefined;
    this.call = "none";
    this.isHeld = false;
    this.isMute = false;
    this.speaker.srcObject = null;
  }

  #hear(): void {
    const stream = (this.#session?.sessionDescriptionHandler as Handler | undefined)?.remoteMediaStream;
    if (!stream || this.speaker.srcObject === stream) return;
    this.speaker.srcObject = stream;
    void this.speaker.play().catch((error: unknown) => (this.trouble = String(error)));
  }

  #connection(): RTCPeerConnection | undefined {
    return (this.#session?.sessionDescriptionHandler as Handler | undefined)?.peerConnection;
  }
}

/** On the desktop, where it was allowed and the page is not looked at. */
function notify(): void {
  if (document.hidden && "Notification" in window && Notification.permission === "granted") {
    new Notification(t("ringsMe"), { tag: "ringdown" });
  }
}
