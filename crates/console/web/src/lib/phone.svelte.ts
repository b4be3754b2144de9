// The agent's phone: SIP over WebSocket (RFC 7118) by SIP.js, its sound by WebRTC.

import {
  Registerer,
  RegistererState,
  SessionState,
  UserAgent,
  Web,
  type Invitation,
  type Session as Dialogue,
} from "sip.js";
import { post, type PhoneAccess } from "./api";
import { Ringer } from "./ringer";
import { t } from "./words";

/** Milliseconds until a lost connection is tried again: doubled each time, up to the second. */
const AGAIN = [500, 10_000] as const;
/** Milliseconds for which candidates are gathered: the node answers on one address, and needs none of them. */
const GATHERING = 2_000;
/** Milliseconds for which a key sounds. */
const TONE = 120;

const AUDIO: MediaTrackConstraints = { autoGainControl: true, echoCancellation: true, noiseSuppression: true };

export type Call = "none" | "ringing" | "active";

type Handler = Web.SessionDescriptionHandler;

export class Phone {
  isOn = $state(false);
  /** Why it is not on. */
  trouble = $state("");
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

  /** Asks for the microphone, and registers; goes on trying until it is closed. */
  async start(): Promise<void> {
    try {
      // Asked for now, so that nothing is asked when the first call comes. It is let go until then.
      const stream = await navigator.mediaDevices.getUserMedia({ audio: AUDIO });
      stream.getTracks().forEach((track) => track.stop());
    } catch (error) {
      this.trouble = t("microphone", String(error));
      return;
    }
    await this.#connect();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#ringer.stop();
    void this.#agent?.stop();
  }

  async answer(): Promise<void> {
    const session = this.#session as Invitation | undefined;
    try {
      await session?.accept({ sessionDescriptionHandlerOptions: { constraints: { audio: AUDIO, video: false } } });
    } catch (error) {
      this.trouble = t("microphone", String(error));
    }
  }

  async end(): Promise<void> {
    const session = this.#session;
    if (session?.state === SessionState.Established) await session.bye();
    else await (session as Invitation | undefined)?.reject();
  }

  async hold(wanted: boolean): Promise<void> {
    const session = this.#session;
    if (!session) return;
    const options: Web.SessionDescriptionHandlerOptions = { hold: wanted };
    session.sessionDescriptionHandlerOptionsReInvite = options;
    await new Promise<void>((resolve) => {
      const requestDelegate = {
        onAccept: () => {
          this.isHeld = wanted;
          resolve();
        },
        onReject: () => resolve(),
      };
      session.invite({ requestDelegate }).catch(() => resolve());
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
      const { user, realm, ha1, transport, port, display_name } = await post<PhoneAccess>("/me/phone");
      const uri = UserAgent.makeURI(`sip:${user}@${location.hostname}`);
      if (!uri) throw new Error(`sip:${user}@${realm}`);
      this.user = user;
      const agent = new UserAgent({
        uri,
        displayName: display_name ?? user,
        authorizationUsername: user,
        authorizationHa1: ha1,
        logLevel: "error",
        transportOptions: { server: `${transport}://${location.hostname}:${port}` },
        sessionDescriptionHandlerFactoryOptions: {
          iceGatheringTimeout: GATHERING,
          peerConnectionConfiguration: { bundlePolicy: "balanced", iceServers: [], rtcpMuxPolicy: "require" },
        },
        delegate: {
          onInvite: (invitation) => this.#ring(invitation),
          onDisconnect: (error) => this.#lost(error?.message ?? ""),
        },
      });
      this.#agent = agent;
      await agent.start();
      const registerer = new Registerer(agent);
      this.#registerer = registerer;
      registerer.stateChange.addListener((state) => this.#registered(state === RegistererState.Registered));
      await registerer.register({
        requestDelegate: { onReject: ({ message }) => this.#lost(`${message.statusCode} ${message.reasonPhrase}`) },
      });
    } catch (error) {
      this.#lost(error instanceof Error ? error.message : String(error));
    }
  }

  #registered(isOn: boolean): void {
    this.isOn = isOn;
    if (!isOn) return;
    this.trouble = "";
    this.#again = AGAIN[0];
  }

  #lost(why: string): void {
    if (this.#isClosed) return;
    this.isOn = false;
    this.trouble = why;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#reconnect(), this.#again);
    this.#again = Math.min(this.#again * 2, AGAIN[1]);
  }

  /** The call that is up goes on: its agent stays, and connects again. */
  async #reconnect(): Promise<void> {
    const [agent, registerer] = [this.#agent, this.#registerer];
    if (!agent || !registerer) return this.#connect();
    try {
      await agent.reconnect();
      await registerer.register();
    } catch (error) {
      this.#lost(error instanceof Error ? error.message : String(error));
    }
  }

  #ring(invitation: Invitation): void {
    if (this.#session) {
      void invitation.reject({ statusCode: 486 });
      return;
    }
    this.#session = invitation;
    this.call = "ringing";
    this.#ringer.start();
    notify();
    invitation.stateChange.addListener((state) => {
      if (state === SessionState.Established) this.#begin();
      if (state === SessionState.Terminated) this.#over();
    });
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
