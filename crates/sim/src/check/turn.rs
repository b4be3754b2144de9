//! One message in, what goes out in the same turn: rules of RFC 3261 that need no knowledge of calls.

use crate::plan;
use crate::wire::{self, Read};
use clock::{Duration, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

/// 64*T1: an INVITE that nobody responds to, or that was cancelled, is over then (RFC 3261 9.1, 17.1.1.2).
const TIMER_B: Duration = Duration::from_secs(32);
/// How long a server transaction lives after its final response (Timers J and L, 17.2.2, RFC 6026 7.1).
const TRANSACTION: Duration = Duration::from_secs(32);
const FOR_EVER: Duration = Duration::from_secs(86_400);
/// How long after the first 2xx its retransmissions must be acknowledged (RFC 3261 13.2.2.4).
const ACK_DUTY: Duration = Duration::from_secs(32);

/// What was seen on the wire that later messages are held against.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    /// INVITEs that the switch sent, by Call-ID and CSeq, and until when their answer is waited for.
    invites: BTreeMap<(String, u32), Time>,
    /// Those that it has cancelled.
    cancelled: BTreeSet<(String, u32)>,
    /// When a 2xx to an INVITE of the switch first arrived, by Call-ID, our tag and CSeq.
    successes: BTreeMap<(String, String, u32), Time>,
    /// The final status that each of the switch's server transactions gave, and when.
    finals: BTreeMap<(SocketAddr, String, String), (u16, Time)>,
    /// Requests that have been delivered, by branch and method.
    requests: BTreeSet<(String, String)>,
    /// The number that each call to the switch dialled, by Call-ID.
    dialled: BTreeMap<String, String>,
    /// INVITEs to the switch within calls, by Call-ID and CSeq.
    reinvites: BTreeSet<(String, u32)>,
    /// Calls that take only reliable provisional responses and make no offer: those would have to make one, so that
    /// there are none.
    silent: BTreeSet<String>,
    /// Reliable responses that the switch has acknowledged: the INVITE's Call-ID, and RAck.
    pracks: BTreeSet<(String, String)>,
    /// Branches of the requests that the switch sent.
    sent: BTreeSet<String>,
    /// Whether the switch turns away what would begin something.
    pub(crate) is_overloaded: bool,
    /// The last CSeq of the switch in each dialog.
    cseqs: BTreeMap<(String, String), u32>,
}

impl Turns {
    /// The number that a call dialled.
    pub(crate) fn dialled(&self, call_id: &str) -> Option<&str> {
        self.dialled.get(call_id).map(String::as_str)
    }

    /// Whether the switch has acknowledged a reliable response.
    pub(crate) fn has_acknowledged(&self, call_id: &str, rack: &str) -> bool {
        self.pracks.contains(&(call_id.to_owned(), rack.to_owned()))
    }

    /// Whether a caller cannot be told of ringing.
    pub(crate) fn is_silent(&self, call_id: &str) -> bool {
        self.silent.contains(call_id)
    }

    /// Holds a turn of the switch against the rules: what came, if rsip can read it, and what went.
    ///
    /// # Errors
    /// The rule that was broken.
    pub(crate) fn check(
        &mut self,
        now: Time,
        came: Option<(SocketAddr, &Read)>,
        went: &[(SocketAddr, Read)],
    ) -> Result<(), String> {
        if let Some((_, read)) = came
            && read.method.as_deref() == Some("INVITE")
            && wire::tag_of(&read.to).is_none()
        {
            self.dialled.insert(read.call_id.clone(), read.number.clone());
            if read.insists && read.body.is_empty() {
                self.silent.insert(read.call_id.clone());
            }
        }
        if let Some((_, read)) = came
            && read.method.as_deref() == Some("INVITE")
            && wire::tag_of(&read.to).is_some()
        {
            self.reinvites.insert((read.call_id.clone(), read.cseq));
        }
        for (to, read) in went {
            self.check_sent(now, *to, read)?;
        }
        let Some((from, read)) = came else { return Ok(()) };
        match (&read.method, read.status) {
            (Some(method), _) if method != "ACK" => self.check_request(from, read, method, went),
            // The INVITE fails with its TCP connection: a 2xx that comes by the next one finds nothing.
            (None, Some(200..300)) if read.cseq_method == "INVITE" && is_by_udp(read) => {
                self.check_success(now, read, went)
            }
            (None, Some(100..200)) if read.cseq_method == "INVITE" => {
                let key = (read.call_id.clone(), read.cseq);
                if let Some(until) = self.invites.get_mut(&key).filter(|until| **until >= now)
                    && !self.cancelled.contains(&key)
                {
                    *until = now + FOR_EVER;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn check_sent(&mut self, now: Time, to: SocketAddr, read: &Read) -> Result<(), String> {
        let branch = read.vias.first().map_or("", |via| wire::branch_of(via));
        if let Some(status) = read.status {
            self.check_result(to, read, status)?;
            let key = (to, branch.to_owned(), read.cseq_method.clone());
            // CANCEL, what names an unknown dialog, what is challenged, what finds no room to subscribe and what overload
            // turns away is answered without a transaction: what a copy of it finds may be known by then. Over TCP
            // transactions end at once (17.2.2).
            let kept = status >= 200 && !matches!(status, 401 | 481) && read.cseq_method != "CANCEL";
            let is_full = status == 503 && (self.is_overloaded || read.cseq_method == "SUBSCRIBE");
            let bound = kept && is_by_udp(read) && !is_full;
            // A sleeper may repeat its request when the transaction is long over: that begins another.
            let is_over = |(_, since): &(u16, Time)| now - *since > TRANSACTION;
            if bound && self.finals.get(&key).is_none_or(is_over) {
                self.finals.insert(key, (status, now));
            } else if bound && self.finals.get(&key).is_some_and(|(first, _)| *first != status) {
                return Err(format!("a second final response, {status}, to {} {branch}", read.cseq_method));
            }
            return Ok(());
        }
        if !branch.starts_with("z9hG4bK") {
            return Err(format!("the branch {branch} has no magic cookie (RFC 3261 8.1.1.7)"));
        }
        if read.cseq_method == "INVITE" {
            self.invites.entry((read.call_id.clone(), read.cseq)).or_insert(now + TIMER_B);
        }
        let key = (read.call_id.clone(), read.cseq);
        if read.cseq_method == "CANCEL" && self.cancelled.insert(key.clone()) {
            self.invites.insert(key, now + TIMER_B);
        }
        self.pracks.extend(read.rack.clone().map(|rack| (read.call_id.clone(), rack)));
        if !matches!(read.cseq_method.as_str(), "ACK" | "CANCEL") {
            // A copy of a request may follow a later one.
            if !self.sent.insert(branch.to_owned()) {
                return Ok(());
            }
            let tag = wire::tag_of(&read.to).unwrap_or("").to_owned();
            let last = self.cseqs.entry((read.call_id.clone(), tag)).or_insert(0);
            if read.cseq < *last {
                return Err(format!("CSeq went back from {last} to {} in {}", read.cseq, read.call_id));
            }
            *last = read.cseq;
        }
        Ok(())
    }

    /// A call ends as its number says: see the plan.
    fn check_result(&self, to: SocketAddr, read: &Read, status: u16) -> Result<(), String> {
        let first = read.cseq_method == "INVITE" && status >= 200;
        let Some(number) = self.dialled.get(&read.call_id).filter(|_| first) else { return Ok(()) };
        let stranger = to.ip().to_string().starts_with("10.0.9.");
        // 401, 487 and 503 may befall any call: no credentials yet, CANCEL, no room; the rest are re-INVITEs'.
        let right = match number.as_str() {
            _ if stranger => matches!(status, 401 | 503),
            // Fax is refused where there is nobody who could have it.
            _ if status == 488 && self.reinvites.contains(&(read.call_id.clone(), read.cseq)) => true,
            _ if matches!(status, 401 | 481 | 487 | 491 | 500 | 503) => true,
            "busy" => status == 486,
            "nowhere" => status == 404,
            // Trunks would have us call for them.
            plan::OUTSIDE if to.ip().to_string().starts_with("10.0.1.") => status == 404,
            // What its flow sends before the answer may wait for a PRACK that never comes (RFC 3262 section 3).
            "record" => matches!(status, 200 | 480 | 504),
            "menu" | "loop" | "digits" | "first" | "hunt" | "meet" | "lecture" => status == 200,
            _ => true,
        };
        if right { Ok(()) } else { Err(format!("a call of {number} from {to} got {status}")) }
    }

    /// A request is answered at once; a retransmitted INVITE may be absorbed (RFC 6026 7.1).
    fn check_request(
        &mut self,
        from: SocketAddr,
        read: &Read,
        method: &str,
        went: &[(SocketAddr, Read)],
    ) -> Result<(), String> {
        let branch = read.vias.first().map_or("", |via| wire::branch_of(via));
        let first = self.requests.insert((branch.to_owned(), method.to_owned()));
        // A MESSAGE waits for what becomes of it.
        if method == "INVITE" && !first || method == "MESSAGE" {
            return Ok(());
        }
        let answers = |to: &SocketAddr, sent: &Read| {
            *to == from
                && sent.status.is_some()
                && sent.cseq_method == method
                && sent.cseq == read.cseq
                && sent.vias.first().is_some_and(|via| wire::branch_of(via) == branch)
        };
        if went.iter().any(|(to, sent)| answers(to, sent)) {
            return Ok(());
        }
        Err(format!("{method} {branch} of {from} got no response"))
    }

    /// Each 2xx to an INVITE is acknowledged, each time that it comes (RFC 3261 13.2.2.4).
    fn check_success(&mut self, now: Time, read: &Read, went: &[(SocketAddr, Read)]) -> Result<(), String> {
        let Some(until) = self.invites.get(&(read.call_id.clone(), read.cseq)) else { return Ok(()) };
        // Whoever sleeps that long answers a call that is over: nobody is there to acknowledge it.
        let came_late = now > *until;
        let tag = wire::tag_of(&read.to).unwrap_or("").to_owned();
        let first = *self.successes.entry((read.call_id.clone(), tag.clone(), read.cseq)).or_insert(now);
        let acknowledges = |sent: &Read| {
            sent.method.as_deref() == Some("ACK")
                && sent.call_id == read.call_id
                && sent.cseq == read.cseq
                && wire::tag_of(&sent.to) == Some(&tag)
        };
        if went.iter().any(|(_, sent)| acknowledges(sent)) || now - first > ACK_DUTY || came_late {
            return Ok(());
        }
        Err(format!("a 2xx in {} with the tag {tag} got no ACK", read.call_id))
    }
}

fn is_by_udp(read: &Read) -> bool {
    read.vias.first().is_some_and(|via| via.starts_with("SIP/2.0/UDP"))
}
