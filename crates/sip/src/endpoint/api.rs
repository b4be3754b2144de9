//! What goes into and comes out of the [`Endpoint`](super::Endpoint).

use crate::transaction::TimerValues;
use crate::{Flow, Message, Method, Transport};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;

/// One INVITE usage (RFC 5057): from the first INVITE to the end of its dialog. Never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct InviteId(pub u64);

/// One received request that waits for our answer. Never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RequestId(pub u64);

/// One request of ours that is no INVITE, until its final response. Never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SentId(pub u64);

/// One subscription to what we know (RFC 6665), until its last NOTIFY. Never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SubscriptionId(pub u64);

/// What names a dialog (RFC 3261 section 12), seen from us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialogId {
    /// The Call-ID.
    pub call_id: Box<str>,
    /// Our tag.
    pub local_tag: String,
    /// The peer's.
    pub remote_tag: Box<str>,
}

/// How an endpoint presents and limits itself.
#[derive(Clone, Debug)]
pub struct EndpointConfig {
    /// The value of User-Agent in requests and Server in responses.
    pub user_agent: String,
    /// The value of Allow: the methods that the endpoint and its user serve.
    pub allow: &'static str,
    /// What Via says of a transport and a local address where that is not the address itself: behind NAT, or
    /// where the listener is bound to every address.
    pub shown: HashMap<(Transport, SocketAddr), SocketAddr>,
    /// What it says instead to peers at an address; see [`Endpoint::show_to`](super::Endpoint::show_to).
    pub shown_to: HashMap<IpAddr, ShownTo>,
    /// INVITEs beyond this number of usages get 503 with Retry-After. Refused ones that wait for their ACK are
    /// not counted: `max_transactions` bounds them.
    pub max_usages: usize,
    /// New requests beyond this number of server transactions get 503 and leave nothing behind; those outside
    /// our dialogs do so from three quarters of it. A short call holds two for 32 seconds.
    pub max_transactions: usize,
    /// T1, T2 and T4.
    pub timers: TimerValues,
    /// How long a session lives without a sign of the peer.
    pub session_timers: SessionTimers,
    /// Which SUBSCRIBEs it takes.
    pub events: Events,
}

/// What peers at an address are told of ours, instead of what others are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownTo {
    /// Whose peers they are: a trunk's.
    pub whose: Arc<str>,
    /// The address.
    pub ip: IpAddr,
    /// The port; the listener's without one.
    pub port: Option<u16>,
}

/// Which SUBSCRIBEs an endpoint takes (RFC 6665).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Events {
    /// The value of Allow-Events: the event packages that the endpoint's user serves. Others get 489.
    pub allow: &'static str,
    /// Bounds of a subscription's expiry in seconds: below is 423, above is cut.
    pub expires: RangeInclusive<u32>,
    /// Subscriptions beyond this number get 503 with Retry-After.
    pub max: usize,
}

impl Default for Events {
    /// None.
    fn default() -> Self {
        Self { allow: "", expires: 60..=3_600, max: 0 }
    }
}

/// RFC 4028's intervals, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionTimers {
    /// Session-Expires of our INVITEs, and the most that we agree to; 1800.
    pub expires: u32,
    /// Min-SE: a peer that wants to refresh more often gets 422; 90.
    pub min: u32,
}

impl Default for SessionTimers {
    fn default() -> Self {
        Self { expires: 1_800, min: 90 }
    }
}

impl EndpointConfig {
    /// The sent-by of requests that go by a flow (RFC 3261 section 18.1.1).
    pub(crate) fn sent_by(&self, flow: &Flow) -> SocketAddr {
        let usual = self.shown.get(&(flow.transport, flow.local)).copied().unwrap_or(flow.local);
        match self.shown_to.get(&flow.peer.ip()) {
            Some(shown) => SocketAddr::new(shown.ip, shown.port.unwrap_or(usual.port())),
            None => usual,
        }
    }
}

/// A message body that we send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// The value of Content-Type.
    pub content_type: Cow<'static, str>,
    /// The body itself.
    pub bytes: Bytes,
}

impl Body {
    /// A session description (`application/sdp`).
    pub fn sdp(bytes: impl Into<Bytes>) -> Self {
        Self { content_type: Cow::Borrowed("application/sdp"), bytes: bytes.into() }
    }

    /// Whether it is one.
    pub(crate) fn is_sdp(&self) -> bool {
        self.content_type == "application/sdp"
    }
}

/// A From or To as we write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The display name, unquoted.
    pub display: Option<String>,
    /// The URI, without angle brackets.
    pub uri: String,
}

/// The answer to a 401 or 407 (RFC 3261 section 22). It is given once a request, and once more when the
/// peer says that only its nonce was stale; a second challenge is the request's final response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The digest username.
    pub username: String,
    /// The password in clear.
    pub password: String,
    /// The realm that the password belongs to: a challenge for another one is not answered.
    /// `None` answers any realm.
    pub realm: Option<String>,
}

/// An INVITE to send.
#[derive(Clone, Debug)]
pub struct NewInvite {
    /// Where to send it.
    pub flow: Flow,
    /// Whether that is a server, which requests too large for UDP reach by TCP (RFC 3261 section 18.1.1); not a phone.
    pub is_server: bool,
    /// The Request-URI.
    pub request_uri: String,
    /// Route header field values, in order, each a name-addr in angle brackets.
    pub route: Vec<String>,
    /// From; the tag is added.
    pub from: Address,
    /// To.
    pub to: Address,
    /// The Contact header field's value, `<sip:ringdown@192.0.2.1:5060>`.
    pub contact: String,
    /// Further header fields.
    pub headers: Vec<(Cow<'static, str>, String)>,
    /// The offer. Without one the peer offers in its 2xx, and [`Endpoint::acknowledge`](super::Endpoint::acknowledge)
    /// carries the answer.
    pub body: Option<Body>,
    /// What to answer challenges with, in this INVITE and in all that follows in its dialog.
    pub login: Option<Login>,
    /// Max-Forwards; 70 where nothing is known.
    pub max_forwards: u8,
}

/// What a gate decides about a request that begins something new: see
/// [`Endpoint::receive_through`](super::Endpoint::receive_through).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// The user hears of it; with whom the request has proved to be from, where the gate has asked.
    Admit(Option<Arc<str>>),
    /// It is answered and forgotten at once (RFC 3261 section 8.2.7): a copy of it comes to the gate again, its
    /// ACK finds nothing and is dropped, a CANCEL gets 481.
    Refuse {
        /// 300 to 699.
        status: u16,
        /// Header fields of the response.
        headers: Vec<(&'static str, String)>,
    },
    /// Nobody hears of it, its sender included.
    Ignore,
}

/// A request to send outside any dialog.
#[derive(Clone, Debug)]
pub struct NewRequest {
    /// Where to send it.
    pub flow: Flow,
    /// Its method; no INVITE, ACK or CANCEL.
    pub method: Method,
    /// The Request-URI.
    pub request_uri: String,
    /// Route header field values, in order, each a name-addr in angle brackets.
    pub route: Vec<String>,
    /// From; the tag is added.
    pub from: Address,
    /// To.
    pub to: Address,
    /// The series that it continues; without one it has a Call-ID of its own.
    pub series: Option<Series>,
    /// Further header fields: Contact, Expires, …
    pub headers: Vec<(Cow<'static, str>, String)>,
    /// Its body.
    pub body: Option<Body>,
    /// What to answer challenges with.
    pub login: Option<Login>,
    /// Max-Forwards; 70 where nothing is known.
    pub max_forwards: u8,
}

/// What the REGISTERs of one binding have in common (RFC 3261 section 10.2). A challenge that is answered takes the
/// next number: the CSeq of the response says which was the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// The Call-ID.
    pub call_id: String,
    /// The CSeq number, above that of the request before.
    pub cseq: u32,
}

/// What the endpoint wants done, in order.
#[derive(Clone, Debug)]
pub enum Output {
    /// Bytes to send: one datagram, or one message on a stream.
    Send {
        /// The way.
        flow: Flow,
        /// The message.
        bytes: Bytes,
    },
    /// Something for the user.
    Event(Event),
    /// A message for the ladder.
    Wire(Wire),
}

/// One message that was received or sent, as a ladder shows it.
///
/// It may still name a usage that is over: retransmissions, and the ACK to a rejection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wire {
    /// The usage that the message belongs to.
    pub invite: Option<InviteId>,
    /// Whether we sent it.
    pub sent: bool,
    /// `INVITE`, `180 Ringing`.
    pub line: Box<str>,
    /// The CSeq number.
    pub cseq: u32,
    /// Whether it carries a session description.
    pub sdp: bool,
    /// Whether it is a retransmission.
    pub again: bool,
}

/// What happened.
///
/// A usage ends by exactly one of `Cancelled`, `Failed`, `Bye` and `Ended`; after it no event names it.
#[derive(Clone, Debug)]
pub enum Event {
    /// A new call. 100 has gone out; it is answered by `progress`, `accept` or `reject`.
    Invite {
        /// The usage.
        id: InviteId,
        /// The way that it came by.
        flow: Flow,
        /// The INVITE.
        message: Message,
        /// Whom the gate has found it to be from.
        user: Option<Arc<str>>,
    },
    /// The peer's CANCEL came before our final response: 200 and 487 have gone out. The usage is over.
    Cancelled {
        /// The usage.
        id: InviteId,
        /// The CANCEL's Reason header field (RFC 3326).
        reason: Option<String>,
    },
    /// 101–199 to our INVITE. Branches of a fork differ in the To tag.
    Progress {
        /// The usage.
        id: InviteId,
        /// The response.
        message: Message,
    },
    /// The first 2xx to our INVITE. The ACK has gone out, unless our INVITE had no body: then
    /// [`Endpoint::acknowledge`](super::Endpoint::acknowledge) sends it.
    Answered {
        /// The usage.
        id: InviteId,
        /// The response.
        message: Message,
    },
    /// Our INVITE failed: a final response from 300 up, 408 when nobody answered, 503 when it could not be
    /// delivered, 487 after our `cancel`. The usage is over.
    Failed {
        /// The usage.
        id: InviteId,
        /// The status.
        status: u16,
        /// The response, where there was one.
        message: Option<Message>,
    },
    /// The ACK to our 2xx, of the first INVITE or of a re-INVITE. It may carry a session description.
    Acked {
        /// The usage.
        id: InviteId,
        /// The ACK.
        message: Message,
    },
    /// The peer sent a re-INVITE; `respond` answers it.
    Reinvite {
        /// The usage.
        id: InviteId,
        /// What to answer.
        request: RequestId,
        /// The re-INVITE.
        message: Message,
    },
    /// 2xx to our re-INVITE. As with `Answered`, the ACK has gone out unless the re-INVITE had no body.
    ReinviteAnswered {
        /// The usage.
        id: InviteId,
        /// The response.
        message: Message,
    },
    /// Our re-INVITE failed; the session stays as it was (RFC 3261 section 14.1).
    ReinviteFailed {
        /// The usage.
        id: InviteId,
        /// The status.
        status: u16,
    },
    /// The session has to be refreshed by a re-INVITE, since the peer takes no UPDATE (RFC 4028 section 7.4):
    /// [`Endpoint::reinvite`](super::Endpoint::reinvite) with the session description as it stands.
    RefreshDue {
        /// The usage.
        id: InviteId,
    },
    /// The peer hung up; 200 has gone out. The usage is over.
    Bye {
        /// The usage.
        id: InviteId,
        /// The BYE.
        message: Message,
    },
    /// The usage is over without the peer's BYE.
    Ended {
        /// The usage.
        id: InviteId,
        /// The status that ended it, where there was one.
        status: Option<u16>,
        /// How.
        why: Why,
    },
    /// The final response to a request of ours that is no INVITE: 408 if none came, 503 if the request could not
    /// be delivered, both without a message.
    Response {
        /// Which request.
        id: SentId,
        /// The status.
        status: u16,
        /// The response, where there was one.
        message: Option<Message>,
    },
    /// The state of a subscription has to be sent, since it was asked for, has changed while a NOTIFY was under way, or
    /// the subscription ends: [`Endpoint::may_notify`](super::Endpoint::may_notify).
    NotifyDue {
        /// Which.
        id: SubscriptionId,
    },
    /// A subscription is over: its last NOTIFY has gone out, one was refused or not answered, or the call that it belonged
    /// to has ended.
    Unsubscribed {
        /// Which.
        id: SubscriptionId,
    },
    /// A valid request that is none of the above, outside a dialog or inside one; `respond` answers it.
    Request {
        /// What to answer.
        request: RequestId,
        /// The usage in whose dialog it came.
        invite: Option<InviteId>,
        /// The way that it came by.
        flow: Flow,
        /// The request.
        message: Message,
        /// Whom the gate has found it to be from; `None` inside a dialog.
        user: Option<Arc<str>>,
    },
}

/// How a usage ended that the peer did not end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Why {
    /// We refused the INVITE, and the peer acknowledged it or Timer H fired.
    Rejected,
    /// Our BYE was answered; the status is its answer's.
    ByeAnswered,
    /// Our BYE got no answer or could not be delivered.
    ByeFailed,
    /// The ACK to our 2xx never came; a BYE has gone out (RFC 3261 section 13.3.1.4).
    NoAck,
    /// The peer answered a re-INVITE with 408 or 481, or not at all; a BYE has gone out (12.2.1.2).
    DialogLost,
    /// The session was not refreshed in time; a BYE has gone out (RFC 4028 section 10).
    SessionExpired,
}

impl Why {
    /// A short phrase for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::ByeAnswered => "BYE answered",
            Self::ByeFailed => "BYE not answered",
            Self::NoAck => "no ACK to the answer",
            Self::DialogLost => "dialog unknown to the peer",
            Self::SessionExpired => "session timer expired",
        }
    }
}

/// What an endpoint has dropped or answered by itself, since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Bytes that are no SIP, or that are broken beyond an answer: dropped.
    pub dropped: u64,
    /// Broken requests that were answered with 4xx or 5xx.
    pub malformed: u64,
    /// Requests refused because there are too many usages or transactions.
    pub overload: u64,
    /// Requests that the gate has refused or ignored.
    pub turned_away: u64,
    /// ACKs and responses that match nothing: dropped.
    pub strays: u64,
    /// Retransmissions absorbed.
    pub retransmissions: u64,
}

/// How much is alive in an endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alive {
    /// INVITE usages.
    pub usages: usize,
    /// Subscriptions to what we know.
    pub subscriptions: usize,
    /// Transactions, client and server.
    pub transactions: usize,
    /// Deadlines.
    pub timers: usize,
    /// Entries of the indexes that find usages and transactions.
    pub indexed: usize,
}
