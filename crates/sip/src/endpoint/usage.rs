//! What an INVITE usage is between its first INVITE and its end.

use super::refresh::Refresh;
use super::reliable::{Acknowledging, Reliable};
use super::{Body, Login, RequestId};
use crate::dialog::Dialog;
use crate::transaction::Outgoing;
use crate::transaction::client::ClientKey;
use crate::{Message, Method, Replaces};
use clock::Duration;

/// Early dialogs remembered of one forked INVITE; requests from further branches get 481.
const MAX_EARLY: usize = 16;

/// One INVITE usage.
#[derive(Debug)]
pub(super) struct Usage {
    /// Our tag in its dialogs.
    pub(super) tag: u64,
    /// Our Contact.
    pub(super) contact: Box<str>,
    /// What challenges are answered with.
    pub(super) login: Option<Box<Login>>,
    /// Whether the peer is a server, which a request too large for a datagram reaches by TCP; a phone that is reached by
    /// UDP is reached by nothing else (RFC 5626).
    pub(super) is_server: bool,
    /// Where it stands.
    pub(super) state: State,
}

/// Where a usage stands.
#[derive(Debug)]
pub(super) enum State {
    /// Our INVITE has no final response.
    Calling(Calling),
    /// The peer's INVITE has no final response.
    Offered {
        /// Its transaction.
        request: RequestId,
        /// The dialog that our answer will confirm.
        dialog: Box<Dialog>,
        /// The provisional responses whose arrival the peer confirms.
        reliable: Option<Box<Reliable>>,
    },
    /// We refused the peer's INVITE; its ACK has not come.
    Rejected {
        /// With what.
        status: u16,
        /// The dialog that it did not become.
        dialog: Box<Dialog>,
    },
    /// There is a session.
    Confirmed(Session),
    /// Our BYE has no final response.
    Leaving {
        /// The dialog that ends.
        dialog: Box<Dialog>,
        /// The BYE's transaction.
        bye: ClientKey,
        /// What the user hears in the end.
        farewell: Farewell,
    },
}

/// Our INVITE before its final response.
#[derive(Debug)]
pub(super) struct Calling {
    /// Its transaction.
    pub(super) key: ClientKey,
    /// Its Call-ID.
    pub(super) call_id: Box<str>,
    /// Whether it carries an offer.
    pub(super) offers: bool,
    /// Whether a provisional response came, so that a CANCEL may be sent.
    pub(super) proceeding: bool,
    /// Whether the user has changed its mind.
    pub(super) cancel: Cancel,
    /// The branches that have responded with a To tag.
    pub(super) early: Vec<Early>,
}

/// How far the cancelling of our INVITE is.
#[derive(Debug)]
pub(super) enum Cancel {
    /// Nobody wants it.
    Unwanted,
    /// The CANCEL, with this Reason, waits for the first provisional response (9.1).
    Waiting(Option<Box<str>>),
    /// The CANCEL has gone out.
    Sent,
}

/// One branch of our INVITE that has responded.
#[derive(Debug)]
pub(super) struct Early {
    tag: Box<str>,
    remote_cseq: Option<u32>,
    /// Its reliable responses.
    pub(super) acknowledging: Option<Box<Acknowledging>>,
}

/// A confirmed dialog and the INVITE that may be pending in it.
#[derive(Debug)]
pub(super) struct Session {
    /// The dialog.
    pub(super) dialog: Box<Dialog>,
    /// At most one INVITE at a time (14.1).
    pub(super) pending: Pending,
    /// Our re-INVITE that got 491 and is to be sent again.
    pub(super) retry: Option<Box<Retry>>,
    /// How it is kept alive, once its first 2xx has settled it.
    pub(super) refresh: Option<Refresh>,
}

/// The INVITE that is pending in a dialog.
#[derive(Debug)]
pub(super) enum Pending {
    /// None.
    Nothing,
    /// Our 2xx has no ACK.
    AwaitingAck {
        /// The 2xx.
        answer: Box<Outgoing>,
        /// How long ago it was sent last, in steps of T1 up to T2.
        interval: Duration,
        /// What the user wants done once the ACK has come.
        then: AfterAck,
    },
    /// The peer's 2xx made an offer and waits for the user's answer in our ACK.
    OwingAck {
        /// The INVITE's transaction.
        key: ClientKey,
        /// The INVITE's CSeq number, and so the ACK's.
        cseq: u32,
    },
    /// Our re-INVITE has no final response.
    Sent {
        /// Its transaction.
        key: ClientKey,
        /// What it says.
        attempt: Box<Retry>,
    },
    /// The peer's re-INVITE has no final response.
    Received(RequestId),
}

/// What happens when the ACK to our 2xx has come.
#[derive(Debug)]
pub(super) enum AfterAck {
    /// The session goes on.
    Stay,
    /// A BYE, with this Reason, that had to wait (section 15).
    Bye(Option<Box<str>>),
}

/// A re-INVITE that may have to be sent again.
#[derive(Clone, Debug)]
pub(super) struct Retry {
    /// Its offer.
    pub(super) body: Option<Body>,
    /// How often it got 491.
    pub(super) refusals: u8,
}

/// What the user hears when our BYE is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Farewell {
    /// `Ended`: the user hung up.
    Ended,
    /// `Failed` with 487: the user had cancelled when the 2xx came.
    Cancelled,
}

/// A usage's own timer, beside those of its transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum UsageTimer {
    /// When to send the last provisional response again, so that no proxy gives up (13.3.1.1).
    RepeatProgress,
    /// When to send our 2xx again (13.3.1.4), or a reliable provisional response (RFC 3262 section 3).
    RepeatAnswer,
    /// When to stop waiting for the ACK to our 2xx (13.3.1.4), or for the PRACK to a provisional response.
    AckOverdue,
    /// When to send a re-INVITE again that got 491 (14.1).
    RetryReinvite,
    /// When to refresh the session, or to end it because the peer has not (RFC 4028).
    Session,
}

impl UsageTimer {
    /// All of them.
    pub(super) const ALL: [Self; 5] =
        [Self::RepeatProgress, Self::RepeatAnswer, Self::AckOverdue, Self::RetryReinvite, Self::Session];
}

impl Usage {
    /// The Call-ID of its dialogs.
    pub(super) fn call_id(&self) -> &str {
        match &self.state {
            State::Calling(calling) => &calling.call_id,
            State::Offered { dialog, .. }
            | State::Rejected { dialog, .. }
            | State::Leaving { dialog, .. } => dialog.call_id(),
            State::Confirmed(session) => session.dialog.call_id(),
        }
    }

    /// The peer's tag, once it has given one: that of the branch that responded first while our INVITE is open.
    pub(super) fn remote_tag(&self) -> Option<&str> {
        let tag = match &self.state {
            State::Calling(calling) => &*calling.early.first()?.tag,
            State::Offered { dialog, .. } | State::Leaving { dialog, .. } => dialog.remote_tag(),
            State::Confirmed(session) => session.dialog.remote_tag(),
            State::Rejected { .. } => return None,
        };
        Some(tag).filter(|tag| !tag.is_empty())
    }

    /// Whether a request whose To has our tag is of one of the usage's dialogs.
    pub(super) fn recognises(&self, request: &Message) -> bool {
        match &self.state {
            State::Calling(calling) => {
                let from_tag = request.from().ok().and_then(|from| from.tag()).unwrap_or("");
                *calling.call_id == *request.call_id()
                    && calling.early.iter().any(|early| *early.tag == *from_tag)
            }
            State::Offered { dialog, .. } | State::Leaving { dialog, .. } => dialog.matches(request),
            State::Confirmed(session) => session.dialog.matches(request),
            State::Rejected { .. } => false,
        }
    }

    /// Whether a Replaces with our tag names the usage's dialog.
    pub(super) fn is_named_by(&self, replaces: &Replaces) -> bool {
        let dialog = match &self.state {
            State::Offered { dialog, .. } => dialog,
            State::Confirmed(session) => &session.dialog,
            State::Calling(calling) => {
                return *calling.call_id == *replaces.call_id
                    && calling.early.iter().any(|early| *early.tag == *replaces.from_tag);
            }
            State::Rejected { .. } | State::Leaving { .. } => return false,
        };
        dialog.call_id() == replaces.call_id && dialog.remote_tag() == replaces.from_tag
    }

    /// Whether such a request has something to change or end in this state.
    pub(super) fn takes(&self, method: &Method) -> bool {
        match (method, &self.state) {
            (Method::Invite, state) => matches!(state, State::Confirmed(_)),
            // Only the caller may end an early dialog by BYE (section 15).
            (Method::Bye, state) => !matches!(state, State::Calling(_) | State::Rejected { .. }),
            (Method::Prack, state) => matches!(state, State::Offered { .. }),
            _ => true,
        }
    }

    /// Whether the CSeq of such a request is in order; it is then the last seen (12.2.2).
    pub(super) fn is_in_order(&mut self, request: &Message) -> bool {
        let Ok((cseq, _)) = request.cseq() else { return false };
        match &mut self.state {
            State::Calling(calling) => {
                let from_tag = request.from().ok().and_then(|from| from.tag()).unwrap_or("");
                calling.branch(from_tag).is_some_and(|early| {
                    let in_order = early.remote_cseq.is_none_or(|last| cseq > last);
                    early.remote_cseq = early.remote_cseq.max(Some(cseq));
                    in_order
                })
            }
            State::Offered { dialog, .. } | State::Leaving { dialog, .. } => dialog.is_in_order(cseq),
            State::Confirmed(session) => session.dialog.is_in_order(cseq),
            State::Rejected { .. } => false,
        }
    }

    /// A stream has closed: what would go by it goes to the remote target, a repeated 2xx included.
    pub(super) fn stream_closed(&mut self, connection: u64) {
        let Some(dialog) = self.dialog_mut() else { return };
        dialog.stream_closed(connection);
        let flow = dialog.next_hop();
        if let State::Confirmed(session) = &mut self.state
            && let Pending::AwaitingAck { answer, .. } = &mut session.pending
            && answer.flow.connection == connection
        {
            answer.flow = flow;
        }
    }

    /// The dialog that a request of ours was sent in.
    pub(super) fn dialog_of(&mut self, sent: &Message) -> Option<&mut Dialog> {
        match &mut self.state {
            State::Calling(calling) => Some(&mut calling.branch_of(sent)?.acknowledging.as_mut()?.dialog),
            State::Offered { dialog, .. } | State::Leaving { dialog, .. } => Some(dialog),
            State::Confirmed(session) => Some(&mut session.dialog),
            State::Rejected { .. } => None,
        }
    }

    /// The dialog, where there is one.
    pub(super) fn dialog_mut(&mut self) -> Option<&mut Dialog> {
        match &mut self.state {
            State::Offered { dialog, .. } | State::Leaving { dialog, .. } => Some(dialog),
            State::Confirmed(session) => Some(&mut session.dialog),
            State::Calling(_) | State::Rejected { .. } => None,
        }
    }
}

impl Calling {
    /// Remembers the branch that a provisional response came from.
    pub(super) fn note_early(&mut self, response: &Message) {
        let Some(tag) = response.to().ok().and_then(|to| to.tag()) else { return };
        if self.early.len() < MAX_EARLY && self.early.iter().all(|early| *early.tag != *tag) {
            self.early.push(Early { tag: tag.into(), remote_cseq: None, acknowledging: None });
        }
    }

    /// The branch that a message of ours or of the peer has in To.
    pub(super) fn branch_of(&mut self, message: &Message) -> Option<&mut Early> {
        let to = message.to().ok()?;
        self.branch(to.tag()?)
    }

    fn branch(&mut self, tag: &str) -> Option<&mut Early> {
        self.early.iter_mut().find(|early| *early.tag == *tag)
    }
}

impl Early {
    /// The dialog that a 2xx of this branch makes goes on with the numbers of the early one.
    pub(super) fn confirm(&self, dialog: &mut Dialog) {
        let acknowledged = self.acknowledging.as_deref().map(|known| known.dialog.last_cseq());
        dialog.continue_from(acknowledged, self.remote_cseq);
    }
}

impl Session {
    /// The state of a session that begins with `pending`.
    pub(super) fn begin(dialog: Box<Dialog>, pending: Pending) -> State {
        State::Confirmed(Self { dialog, pending, retry: None, refresh: None })
    }
}
