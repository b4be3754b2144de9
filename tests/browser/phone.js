// A phone by SIP.js: what `drive.mjs` is told to do are methods of `Phone`.

import { Inviter, Registerer, SessionState, UserAgent, Web } from "./node_modules/sip.js/lib/index.js";

const AUDIO = { autoGainControl: false, echoCancellation: false, noiseSuppression: false };

/** As the library's, but for two wishes: which codecs there are, and whether candidates are waited for. */
class Handler extends Web.SessionDescriptionHandler {
  constructor(logger, { codecs, trickle }) {
    super(logger, Web.defaultMediaStreamFactory(), {
      iceGatheringTimeout: 5000,
      peerConnectionConfiguration: { bundlePolicy: "balanced", iceServers: [], rtcpMuxPolicy: "require" },
    });
    Object.assign(this, { codecs, trickle });
  }

  createLocalOfferOrAnswer(options) {
    if (this.codecs) {
      const { codecs } = RTCRtpSender.getCapabilities("audio");
      const wanted = codecs.filter(({ mimeType }) => this.codecs.includes(mimeType.split("/")[1]));
      this.peerConnection.getTransceivers().forEach((transceiver) => transceiver.setCodecPreferences(wanted));
    }
    return super.createLocalOfferOrAnswer(options);
  }

  waitForIceGatheringComplete(...how) {
    return this.trickle ? Promise.resolve() : super.waitForIceGatheringComplete(...how);
  }
}

// Hands on what it hears, and passes on silence. A worklet's script is fetched past the driver, so that it has to be here.
const TAPE = `registerProcessor("tape", class extends AudioWorkletProcessor {
  process([[channel]]) {
    if (channel) this.port.postMessage(channel.slice());
    return true;
  }
});`;

/** What is heard, from when it was begun: samples at 8 kHz, a chunk after the other. */
class Recording {
  static async begin(stream) {
    const context = new AudioContext({ sampleRate: 8000 });
    await context.audioWorklet.addModule(URL.createObjectURL(new Blob([TAPE], { type: "text/javascript" })));
    const tape = new AudioWorkletNode(context, "tape");
    const recording = Object.assign(new Recording(), { chunks: [], samples: 0 });
    tape.port.onmessage = ({ data }) => {
      recording.chunks.push(data);
      recording.samples += data.length;
      recording.look?.();
    };
    context.createMediaStreamSource(stream).connect(tape).connect(context.destination);
    return recording;
  }

  /** Waits until it has so many samples. */
  until(samples) {
    return new Promise((resolve) => {
      this.look = () => this.samples >= samples && resolve();
      this.look();
    });
  }

  /** 16-bit samples, little-endian, in base64. */
  text() {
    const samples = Int16Array.from(this.chunks.flatMap((chunk) => [...chunk]), (sample) =>
      Math.round(Math.max(-1, Math.min(1, sample)) * 32767));
    return new Uint8Array(samples.buffer).toBase64();
  }
}

class Phone {
  /** Registers at `server` as a user; `codecs` limits what it speaks, `trickle` sends offers without candidates. */
  async register({ server, host, user, password, codecs, trickle }) {
    this.host = host;
    this.trickle = trickle;
    this.agent = new UserAgent({
      uri: UserAgent.makeURI(`sip:${user}@${host}`),
      authorizationUsername: user,
      authorizationPassword: password,
      transportOptions: { server, traceSip: true },
      sessionDescriptionHandlerFactory: (session) => new Handler(session.userAgent.getLogger("media"), { codecs, trickle }),
      delegate: { onInvite: (invitation) => this.answer(invitation) },
    });
    await this.agent.start();
    const registerer = new Registerer(this.agent);
    const registered = new Promise((resolve) => registerer.stateChange.addListener(resolve));
    await registerer.register();
    if ((await registered) !== "Registered") throw new Error("not registered");
  }

  /** Calls a number, and waits until the call is up. */
  async dial(number) {
    const session = new Inviter(this.agent, UserAgent.makeURI(`sip:${number}@${this.host}`), {
      sessionDescriptionHandlerOptions: { constraints: { audio: AUDIO, video: false } },
    });
    const up = this.follow(session);
    await session.invite();
    await up;
  }

  answer(invitation) {
    this.follow(invitation);
    return invitation.accept({ sessionDescriptionHandlerOptions: { constraints: { audio: AUDIO, video: false } } });
  }

  /** Takes part in a session; resolves once it is up, and fails when it never is. */
  follow(session) {
    this.session = session;
    if (this.trickle) session.delegate = { onSessionDescriptionHandler: (handler) => this.trickleCandidates(handler) };
    return new Promise((resolve, reject) => {
      session.stateChange.addListener((state) => {
        if (state === SessionState.Established) this.listen().then(resolve, reject);
        if (state === SessionState.Terminated) {
          reject(new Error("the call was refused"));
          window.tell({ event: "ended" });
        }
      });
    });
  }

  async listen() {
    const speaker = document.querySelector("#speaker");
    speaker.srcObject = this.session.sessionDescriptionHandler.remoteMediaStream;
    this.recording = await Recording.begin(speaker.srcObject);
    window.tell({ event: "established" });
  }

  /** Each candidate is told by an INFO of its own once the dialog is there, and then their end (RFC 8840). */
  trickleCandidates(handler) {
    const told = [];
    handler.peerConnectionDelegate = {
      onicecandidate: ({ candidate }) => {
        told.push(candidate === null ? "a=end-of-candidates" : `a=${candidate.candidate}`);
        this.tellCandidates(handler, told);
      },
    };
    this.session.stateChange.addListener(() => this.tellCandidates(handler, told));
  }

  tellCandidates(handler, told) {
    if (this.session.state !== SessionState.Established) return;
    const value = (name) => handler.peerConnection.localDescription.sdp.match(`a=${name}:.*`)[0];
    for (const line of told.splice(0)) {
      const lines = [value("ice-ufrag"), value("ice-pwd"), "m=audio 9 RTP/AVP 0", value("mid"), line, ""];
      const body = {
        contentDisposition: "Info-Package",
        contentType: "application/trickle-ice-sdpfrag",
        content: lines.join("\r\n"),
      };
      const requestOptions = { extraHeaders: ["Info-Package: trickle-ice"], body };
      const answered = (response) => window.tell({ event: `INFO ${response.message.statusCode}` });
      this.session.info({ requestDelegate: { onAccept: answered, onReject: answered }, requestOptions });
    }
  }

  async hangup() {
    await this.session.bye();
  }

  digit(digit) {
    this.session.sessionDescriptionHandler.sendDtmf(digit, { duration: 120 });
  }

  hold() {
    return this.offer({ hold: true });
  }

  resume() {
    return this.offer({ hold: false });
  }

  /** Offers again with new credentials and waits until checks with them have succeeded. */
  async restartIce() {
    await this.offer({ offerOptions: { iceRestart: true } });
    const { peerConnection } = this.session.sessionDescriptionHandler;
    const isUp = () => ["connected", "completed"].includes(peerConnection.iceConnectionState);
    while (!isUp()) await new Promise((resolve) => (peerConnection.oniceconnectionstatechange = resolve));
  }

  /** Offers again in the call; resolves with the answer. */
  offer(options) {
    this.session.sessionDescriptionHandlerOptionsReInvite = options;
    return new Promise((resolve, reject) => {
      const onReject = ({ message }) => reject(new Error(`${message.statusCode} ${message.reasonPhrase}`));
      this.session.invite({ requestDelegate: { onAccept: () => resolve(), onReject } }).catch(reject);
    });
  }

  /** Records anew. */
  async record() {
    this.recording = await Recording.begin(document.querySelector("#speaker").srcObject);
  }

  /** Waits until it has recorded so many seconds. */
  recorded(seconds) {
    return this.recording.until(seconds * 8000);
  }

  /** Writes what it has recorded to a file. */
  save(path) {
    return window.save(path, this.recording.text());
  }

  /** The descriptions of both sides, and how media goes. */
  async state() {
    const { peerConnection } = this.session.sessionDescriptionHandler;
    const stats = [...(await peerConnection.getStats()).values()];
    const received = stats.find(({ type, kind }) => type === "inbound-rtp" && kind === "audio");
    return {
      local: peerConnection.localDescription.sdp,
      remote: peerConnection.remoteDescription.sdp,
      codec: stats.find(({ id }) => id === received?.codecId)?.mimeType,
      dtls: stats.find(({ type }) => type === "transport")?.dtlsState,
      ice: peerConnection.iceConnectionState,
    };
  }
}

window.phone = new Phone();
