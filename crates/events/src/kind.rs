use crate::words::{
    AgentActivity, AgentWish, CallbackOrder, CallbackOutcome, Cause, DialOutcome, Direction, OfferOutcome,
    Party, QueueOutcome, RecordBy, RoomBy, SipDirection, SuperviseMode, TransferBy, TransferOutcome,
};
use crate::{ContactId, FaxCount, LegId, Missing, Quality, Reach};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What happened. Names are the field's; a variant is never renamed once it has been written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    /// The process began to serve; `unix_micros` is the wall clock at this event.
    NodeStarted {
        /// Wall clock, microseconds since 1970.
        unix_micros: i64,
        /// The program's version.
        version: String,
    },
    /// The process ended in good order.
    NodeStopped,
    /// A configuration was applied; calls already up stay on the one that they began with.
    ConfigApplied {
        /// As `ringdown versions` lists it.
        version: u64,
        /// Who wanted it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Arc<str>>,
        /// Why, if they said so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<Arc<str>>,
    },
    /// Something that an administrator must know.
    Alarm {
        /// One line that names the thing and what to do.
        text: String,
    },
    /// Somebody has changed something by HTTP, or wanted to: what came of it in the log is before this.
    Requested {
        /// The account.
        by: Arc<str>,
        /// `POST`.
        method: Arc<str>,
        /// `/calls/17/record`.
        path: Arc<str>,
        /// The status of the answer.
        status: u16,
    },
    /// Nothing of a source is read any more for a while.
    SourceBanned {
        /// The address, or an IPv6 network of 64 bits.
        address: String,
        /// What for.
        reason: String,
        /// For how long.
        seconds: u32,
        /// How often in a row it has been banned.
        times: u32,
    },
    /// An operator lifted a ban.
    BanLifted {
        /// As in `SourceBanned`.
        address: String,
    },
    /// A phone registered or refreshed a contact.
    Registered {
        /// `user@client`.
        user: String,
        /// The Contact URI.
        contact: String,
        /// Seconds until it expires.
        expires: u32,
        /// How it is reached; `None` in what earlier versions wrote.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reach: Option<Box<Reach>>,
    },
    /// A contact was removed, has expired, or can no longer be reached.
    Unregistered {
        /// `user@client`.
        user: String,
        /// The Contact URI.
        contact: String,
    },
    /// A registrar has our contact: for the first time, or after it had not.
    TrunkRegistered {
        /// Which trunk of the node file.
        trunk: Arc<str>,
        /// Where, a SIP URI.
        registrar: Arc<str>,
        /// Seconds until it expires, unless it is refreshed.
        expires: u32,
    },
    /// A REGISTER of ours was refused or not answered.
    TrunkRegistrationFailed {
        /// Which trunk.
        trunk: Arc<str>,
        /// Where.
        registrar: Arc<str>,
        /// The status; 408 for no answer.
        status: u16,
        /// Seconds to the next try; `None` if there is none.
        retry_after: Option<u32>,
    },
    /// A registrar has our contact no more: we took it back, or it expired.
    TrunkUnregistered {
        /// Which trunk.
        trunk: Arc<str>,
        /// Where.
        registrar: Arc<str>,
    },
    /// A target of a trunk does not answer OPTIONS any more, or with 503: it is tried last.
    TrunkTargetDown {
        /// Which trunk.
        trunk: Arc<str>,
        /// `UDP 192.0.2.7:5060`.
        target: Arc<str>,
        /// The last status; 408 for no answer.
        status: u16,
    },
    /// It answers again.
    TrunkTargetUp {
        /// Which trunk.
        trunk: Arc<str>,
        /// As in `TrunkTargetDown`.
        target: Arc<str>,
    },
    /// A server of a trunk has refused a call by 503 with Retry-After: it is tried last until then.
    TrunkTargetRests {
        /// Which trunk.
        trunk: Arc<str>,
        /// As in `TrunkTargetDown`.
        target: Arc<str>,
        /// For how long.
        seconds: u32,
    },
    /// A trunk is passed over: it may not carry a further call now.
    TrunkFull {
        /// Which trunk.
        trunk: Arc<str>,
        /// `limit of 30 outbound calls`, `limit of 5 calls a second`.
        limit: String,
    },
    /// A call out is not placed: it would go beyond what the client or its user may spend.
    CallBlocked {
        /// The number that it was for.
        number: Arc<str>,
        /// `the user alice has its 60 calls an hour`
        reason: String,
    },
    /// A contact began: someone called in.
    ContactStarted {
        /// Trunk or user by name.
        source: Arc<str>,
        /// Which client company's number was called.
        client: Arc<str>,
        /// The caller as normalised.
        from: Arc<str>,
        /// The number called.
        to: Arc<str>,
        /// The flow that handles it.
        flow: Arc<str>,
    },
    /// It was looked at whether somebody answers for the caller (STIR/SHAKEN).
    CallerVerified {
        /// `passed`, `failed` or `none`.
        verstat: Arc<str>,
        /// How well the signer knows the caller: `A`, `B` or `C`.
        attestation: Option<Arc<str>>,
        /// Where the call began, as the signer names it.
        origin: Option<Arc<str>>,
        /// Why nobody is believed.
        reason: Option<String>,
    },
    /// A leg came into being.
    LegStarted {
        /// The leg.
        leg: LegId,
        /// Seen from the switch.
        direction: Direction,
        /// Who is at its other end.
        party: Party,
        /// The URI called (outbound) or calling (inbound).
        uri: Arc<str>,
        /// SIP Call-ID.
        call_id: Arc<str>,
    },
    /// A SIP message of a leg, as the ladder shows it.
    Sip {
        /// The leg.
        leg: LegId,
        /// Received or sent.
        direction: SipDirection,
        /// `INVITE`, `180 Ringing`, …
        line: Arc<str>,
        /// CSeq number and method.
        cseq: u32,
        /// Whether it carries SDP.
        sdp: bool,
        /// A retransmission that was sent or absorbed.
        again: bool,
    },
    /// The far end of a leg rings.
    LegRinging {
        /// The leg.
        leg: LegId,
    },
    /// A leg was answered (2xx sent or received).
    LegAnswered {
        /// The leg.
        leg: LegId,
        /// Codec agreed, `PCMU`.
        codec: Option<Arc<str>>,
    },
    /// The party put the switch on hold.
    Held {
        /// The leg that holds.
        leg: LegId,
    },
    /// The party took the call up again.
    Resumed {
        /// The leg that held.
        leg: LegId,
    },
    /// The party has fax by T.38 in the place of audio.
    FaxStarted {
        /// The leg.
        leg: LegId,
    },
    /// The party has audio again.
    FaxEnded {
        /// The leg.
        leg: LegId,
    },
    /// One party of a call has asked for T.38, and the other will not have it: the audio goes on.
    FaxRefused {
        /// The leg of who refused.
        leg: LegId,
        /// The SIP status; 408 for no answer.
        status: u16,
    },
    /// The first RTP packet of a leg arrived.
    MediaStarted {
        /// The leg.
        leg: LegId,
        /// Where it really comes from.
        peer: Arc<str>,
    },
    /// Media was agreed but nothing comes.
    MediaSilent {
        /// The leg.
        leg: LegId,
        /// For how long.
        millis: u32,
    },
    /// Nothing comes of a browser any more: its page is gone, or its network. The other party hears music meanwhile.
    LegLost {
        /// The leg.
        leg: LegId,
    },
    /// Something comes of it again. A page that came by another connection has a leg of its own: see `LegReplaced`.
    LegBack {
        /// The leg that was lost.
        leg: LegId,
    },
    /// Media was agreed both ways, and flows one way. Once a leg and way.
    MediaOneWay {
        /// The leg.
        leg: LegId,
        /// Which way it does not flow.
        missing: Missing,
    },
    /// What the media engine counted, when a stream closed.
    MediaEnded {
        /// The leg.
        leg: LegId,
        /// Packets received.
        received: u64,
        /// Packets sent.
        sent: u64,
        /// Packets missing.
        lost: u64,
        /// Interarrival jitter in microseconds; `None` when it was not measured.
        jitter_micros: Option<u32>,
        /// How it sounded.
        #[serde(default)]
        quality: Quality,
        /// What there was of fax.
        #[serde(default)]
        fax: Option<FaxCount>,
    },
    /// A leg is over. Exactly one per `LegStarted`.
    LegEnded {
        /// The leg.
        leg: LegId,
        /// Why.
        cause: Cause,
    },
    /// The flow took a step.
    FlowStep {
        /// The flow.
        flow: Arc<str>,
        /// The verb with its target, `menu main`.
        step: Arc<str>,
        /// The file, as the administrator knows it.
        file: Arc<str>,
        /// Its line, from 1.
        line: u32,
    },
    /// A step ended by one of its branches, `no_input`.
    FlowBranch {
        /// The verb.
        verb: Arc<str>,
        /// The branch.
        branch: Arc<str>,
    },
    /// A key press reached the flow.
    Digit {
        /// Whose.
        leg: LegId,
        /// The key; `•` when the step is secret.
        digit: char,
    },
    /// A prompt list ended, or could not be played.
    PlayFailed {
        /// One line that names the file and the cause.
        error: String,
    },
    /// Destinations are being rung.
    DialStarted {
        /// As written in the flow.
        targets: Vec<Arc<str>>,
    },
    /// The dial ended before or by an answer.
    DialEnded {
        /// How.
        outcome: DialOutcome,
    },
    /// The media of an unanswered caller was opened by a 183.
    EarlyMedia {
        /// The caller's leg.
        leg: LegId,
    },
    /// A caller hears the far end before it answers. `Bridged` follows, `Unbridged`, or the end of either leg.
    BridgedEarly {
        /// The caller's leg.
        a: LegId,
        /// The leg that rings.
        b: LegId,
    },
    /// Two legs hear each other.
    Bridged {
        /// One leg.
        a: LegId,
        /// The other.
        b: LegId,
    },
    /// They no longer do.
    Unbridged {
        /// One leg.
        a: LegId,
        /// The other.
        b: LegId,
    },
    /// A flow has changed what its client remembers.
    ValueChanged {
        /// The client.
        client: Arc<str>,
        /// Its name, and after a stroke what that is of.
        key: Arc<str>,
        /// What it is now; `None`: it is forgotten.
        value: Option<Arc<str>>,
        /// When it is over, in microseconds since 1970.
        until: Option<i64>,
    },
    /// An agent has noted what came of the contact, during it or after its end; the last note counts.
    DispositionNoted {
        /// The client.
        client: Arc<str>,
        /// What: `sold`.
        disposition: Arc<str>,
        /// The agent, or the account.
        by: Arc<str>,
    },
    /// A request of a flow by HTTP has ended.
    HttpEnded {
        /// `POST`.
        method: Arc<str>,
        /// Who was asked, `https://api.example.com`. What was asked for stands in the flow; values in it are nobody's affair.
        server: Arc<str>,
        /// What the server said at last, 200–599.
        status: Option<u16>,
        /// How often it was sent.
        attempts: u32,
        /// From the first attempt to the end.
        millis: u64,
        /// Why there is no answer.
        error: Option<String>,
    },
    /// The caller has come into a room of its client.
    RoomEntered {
        /// Its leg.
        leg: LegId,
        /// The room's name.
        room: Arc<str>,
        /// How many there are with it.
        parties: u32,
    },
    /// The caller is in its room no longer. One per `RoomEntered`.
    RoomLeft {
        /// Its leg.
        leg: LegId,
        /// The room's name.
        room: Arc<str>,
        /// Whether an operator has taken it out.
        removed: bool,
        /// Whether anybody else was there at any time.
        met: bool,
    },
    /// The caller is not heard in its room any more, or is heard again.
    RoomMuted {
        /// Its leg.
        leg: LegId,
        /// Whether it is mute.
        muted: bool,
        /// Whose wish it was.
        by: RoomBy,
    },
    /// The caller is made louder or quieter in its room.
    RoomGain {
        /// Its leg.
        leg: LegId,
        /// In decibels.
        gain: i8,
    },
    /// The caller waits in a queue of its client.
    QueueEntered {
        /// Its leg.
        leg: LegId,
        /// The queue's name within the client.
        queue: Arc<str>,
        /// Points; 0 is usual.
        priority: i32,
        /// How long it has waited there before: its place is kept.
        waited_millis: u64,
    },
    /// The call is offered to an agent of the queue, whose phone is rung.
    QueueOffered {
        /// Numbers the offers of the node.
        offer: u64,
        /// The queue.
        queue: Arc<str>,
        /// The agent.
        agent: Arc<str>,
        /// Why this one, and why no other, in sentences.
        why: String,
    },
    /// An offer is over. One per `QueueOffered`.
    QueueOfferEnded {
        /// Which.
        offer: u64,
        /// The agent.
        agent: Arc<str>,
        /// How.
        outcome: OfferOutcome,
    },
    /// The caller waits in its queue no longer. One per `QueueEntered`.
    QueueLeft {
        /// Its leg.
        leg: LegId,
        /// The queue.
        queue: Arc<str>,
        /// Why.
        outcome: QueueOutcome,
    },
    /// A supervisor wants something of a caller that waits; what follows is logged after it.
    CallerDirected {
        /// What: `move to sales`, `priority 5`, `pull to alice`.
        order: Arc<str>,
        /// Who.
        by: Arc<str>,
    },
    /// What an agent is to do from now on, whoever wants it and whatever it does at the moment: a restart goes on with it.
    AgentWishes {
        /// The agent.
        agent: Arc<str>,
        /// What.
        wish: AgentWish,
    },
    /// Somebody wants something of an agent that is not the agent at its phone. What comes of it is logged beside it.
    AgentDirected {
        /// The agent.
        agent: Arc<str>,
        /// What: `login`, `pause lunch`.
        order: Arc<str>,
        /// Who.
        by: Arc<str>,
    },
    /// The contact's customer is to be called back from a queue, where it keeps a place. What follows of it is logged
    /// under this contact, which may have ended long before.
    CallbackKept {
        /// What is to be done.
        order: CallbackOrder,
    },
    /// It is the customer's turn: an agent is kept, and the customer is called in a contact of its own.
    CallbackTried {
        /// Numbers the offers of the node.
        offer: u64,
        /// The agent that is kept.
        agent: Arc<str>,
        /// The contact in which the customer is called.
        by: ContactId,
        /// Why this agent, and why no other, in sentences.
        why: String,
    },
    /// An attempt has come to nothing: the agent is free again.
    CallbackFailed {
        /// Its offer.
        offer: u64,
        /// Why.
        reason: Arc<str>,
    },
    /// The customer is to be called back no longer. One per `CallbackKept`.
    CallbackEnded {
        /// Why.
        outcome: CallbackOutcome,
    },
    /// This contact calls back the customer of another one.
    CallsBack {
        /// That one, which has asked for it.
        asked: ContactId,
        /// From which queue.
        queue: Arc<str>,
    },
    /// An agent is in another state than before.
    AgentChanged {
        /// The agent.
        agent: Arc<str>,
        /// The state that it is in now.
        state: AgentActivity,
        /// Where it is rung, if it is logged in.
        phone: Option<Arc<str>>,
    },
    /// A user of the client is rung to supervise the call.
    SupervisionStarted {
        /// The supervisor, `user@client`.
        user: Arc<str>,
        /// To whom it is to speak.
        mode: SuperviseMode,
    },
    /// The supervisor speaks to others from now on.
    SupervisionChanged {
        /// The supervisor, `user@client`.
        user: Arc<str>,
        /// To whom.
        mode: SuperviseMode,
    },
    /// The supervisor has the call in the place of a leg, which is let go.
    TakenOver {
        /// The agent's leg.
        leg: LegId,
        /// The supervisor's.
        by: LegId,
    },
    /// There is no supervisor any more. One per `SupervisionStarted`.
    SupervisionEnded {
        /// The supervisor, `user@client`.
        user: Arc<str>,
        /// Why.
        reason: Arc<str>,
    },
    /// A recording began.
    RecordingStarted {
        /// Whose leg: left is what is received from it, right what is sent to it.
        leg: LegId,
        /// The file.
        path: String,
        /// Whose wish it was; `None` in old logs.
        #[serde(default)]
        by: Option<RecordBy>,
    },
    /// A recording was wanted, or ran, which a rule forbids.
    RecordingWithheld {
        /// Whose wish it was; a rule's own where one ran.
        by: RecordBy,
    },
    /// The caller has said whether it may be recorded.
    RecordingConsent {
        /// Whose word it is.
        leg: LegId,
        /// Whether it may.
        given: bool,
    },
    /// The recording passes over what is said from now on.
    RecordingHushed {
        /// Whether there is silence in its place; else it takes no time in the file.
        mask: bool,
        /// Whose wish it was.
        by: RecordBy,
    },
    /// The recording goes on.
    RecordingResumed {
        /// Whose wish it was.
        by: RecordBy,
    },
    /// A recording is complete on disk.
    RecordingEnded {
        /// The file.
        path: String,
        /// Its length.
        millis: u64,
        /// Why it ended early.
        error: Option<String>,
    },
    /// A complete recording is on disk as ciphertext alone from now on. Like what follows of it, it is logged under the contact of
    /// the recording, which has ended mostly.
    RecordingSealed {
        /// Which: the number of the event with which it began.
        recording: u64,
        /// The file that takes the place of the former one.
        path: String,
    },
    /// A recording is kept whatever else is wanted of it, or no longer.
    RecordingHeld {
        /// Which.
        recording: u64,
        /// Why it is; nothing where it no longer is.
        why: Option<Arc<str>>,
        /// Whose wish it was.
        by: Arc<str>,
    },
    /// A recording is no longer on disk.
    RecordingErased {
        /// Which.
        recording: u64,
        /// What the file had, by SHA-256 in hexadecimal digits; nothing if there was no file.
        sha256: Option<String>,
        /// Why: `kept for 90 days`, or as somebody has said.
        why: Arc<str>,
        /// Whose wish it was; nothing where it is the client's rule.
        by: Option<Arc<str>>,
    },
    /// The caller leaves a message in a mailbox of its client. `VoicemailLeft` or `VoicemailDropped` follows, if need be after a
    /// restart.
    VoicemailStarted {
        /// The message: the number of this event.
        message: u64,
        /// The caller's leg.
        leg: LegId,
        /// Whose mailbox.
        client: Arc<str>,
        /// Its name within the client.
        mailbox: Arc<str>,
        /// The caller as normalised.
        from: Arc<str>,
        /// The file.
        path: String,
    },
    /// The message is in the mailbox. What follows of it is logged under this contact, which may have ended long before.
    VoicemailLeft {
        /// Which.
        message: u64,
        /// The file.
        path: String,
        /// Its length.
        millis: u64,
    },
    /// Nothing is kept of the message.
    VoicemailDropped {
        /// Which.
        message: u64,
        /// Why.
        reason: Arc<str>,
    },
    /// Somebody has heard the message, or it counts as new again.
    VoicemailHeard {
        /// Which.
        message: u64,
        /// Whether it is heard.
        heard: bool,
        /// Whose wish it was.
        by: Arc<str>,
    },
    /// The message is deleted, and its file.
    VoicemailDeleted {
        /// Which.
        message: u64,
        /// Whose wish it was.
        by: Arc<str>,
    },
    /// A phone takes the place of a leg: a pickup, or INVITE with Replaces (RFC 3891).
    LegReplaced {
        /// The leg that rang or was talked on; it ends.
        leg: LegId,
        /// Who has its place.
        by: LegId,
    },
    /// A party's trunk is asked by REFER to call the target of a transfer itself.
    Released {
        /// The party's leg.
        leg: LegId,
        /// The number.
        to: Arc<str>,
    },
    /// A user has dialled a feature code in a call.
    CodeDialled {
        /// Its leg.
        leg: LegId,
        /// As the client's `features` name it: `transfer`.
        feature: Arc<str>,
    },
    /// A party hands the other one on, by its phone, its keys or the API.
    TransferStarted {
        /// The leg of who transfers.
        leg: LegId,
        /// How it was asked for.
        by: TransferBy,
        /// Whether it wants to speak with the target first.
        consult: bool,
        /// The number or name of the target.
        to: Arc<str>,
    },
    /// The transfer is over. One per `TransferStarted`, unless the contact ends before.
    TransferEnded {
        /// How.
        outcome: TransferOutcome,
    },
    /// A leg goes to another contact, whose `LegJoined` follows: its end is told there.
    LegLeft {
        /// The leg.
        leg: LegId,
        /// Where it goes.
        to: ContactId,
    },
    /// A leg of another contact goes on here.
    LegJoined {
        /// The leg.
        leg: LegId,
        /// Where it comes from.
        from: ContactId,
        /// Seen from the switch.
        direction: Direction,
        /// Who is at its other end.
        party: Party,
        /// The URI called (outbound) or calling (inbound).
        uri: Arc<str>,
        /// SIP Call-ID.
        call_id: Arc<str>,
        /// Whether it is answered.
        answered: bool,
    },
    /// A destination sent the call elsewhere (3xx), and the switch follows.
    Redirected {
        /// The leg that it was answered on.
        leg: LegId,
        /// The status.
        status: u16,
        /// Where to.
        to: Arc<str>,
    },
    /// The contact is over: every leg has ended. Exactly one per `ContactStarted`.
    ContactEnded {
        /// Why.
        cause: Cause,
    },
}
