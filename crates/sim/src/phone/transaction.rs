//! Requests repeated until they are answered, and final responses until they are acknowledged.

use super::{Act, Out, PATIENCE, Phone, T1, T2};
use crate::wire::{self, Read};
use bytes::Bytes;
use clock::{Duration, Time};

/// What a client transaction is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The first INVITE of a call.
    Invite,
    Reinvite,
    /// UPDATE that refreshes the session.
    Refresh,
    Cancel,
    Bye,
    Register,
    Subscribe,
    /// OPTIONS, INFO and whatever else may come.
    Other,
}

/// A request that waits for its final response.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) branch: String,
    pub(super) method: &'static str,
    pub(super) purpose: Purpose,
    /// The call or subscription that it belongs to, which may be over.
    pub(super) call: u64,
    pub(super) bytes: Bytes,
    interval: Duration,
    until: Time,
    pub(super) proceeding: bool,
}

/// A final response to an INVITE that waits for its ACK.
#[derive(Clone, Debug)]
pub(super) struct Final {
    pub(super) bytes: Bytes,
    pub(super) cseq: u32,
    /// A 2xx whose ACK does not come ends the call by BYE (RFC 3261 13.3.1.4).
    pub(super) success: bool,
    interval: Duration,
    until: Time,
}

impl Client {
    /// Whether the request carries no body: the 2xx to such an INVITE has the offer.
    pub(super) fn has_no_body(&self) -> bool {
        self.bytes.ends_with(b"\r\n\r\n")
    }
}

impl Phone {
    /// Sends a request and keeps at it.
    pub(super) fn begin(
        &mut self,
        now: Time,
        client: (Purpose, u64, &'static str),
        branch: String,
        bytes: Bytes,
        sent: &mut Vec<Out>,
    ) {
        let (purpose, call, method) = client;
        let number = self.number();
        sent.push(Out::Send(bytes.clone()));
        let until = now + PATIENCE;
        let client = Client { branch, method, purpose, call, bytes, interval: T1, until, proceeding: false };
        self.clients.insert(number, client);
        self.timers.set((number, Act::Repeat), now + T1);
    }

    pub(super) fn end_client(&mut self, number: u64) -> Option<Client> {
        self.timers.cancel((number, Act::Repeat));
        self.clients.remove(&number)
    }

    /// The transaction that a response belongs to (RFC 3261 17.1.3).
    pub(super) fn client_of(&self, read: &Read) -> Option<u64> {
        let branch = read.vias.first().map_or("", |via| wire::branch_of(via));
        let fits = |client: &Client| client.branch == branch && client.method == read.cseq_method;
        self.clients.iter().find(|(_, client)| fits(client)).map(|(number, _)| *number)
    }

    pub(super) fn repeat_request(&mut self, now: Time, number: u64, sent: &mut Vec<Out>) {
        let reliable = self.is_on_stream();
        let Some(client) = self.clients.get_mut(&number) else { return };
        let is_invite = client.method == "INVITE";
        if is_invite && client.proceeding {
            return;
        }
        if now >= client.until {
            let call = client.call;
            let purpose = client.purpose;
            self.end_client(number);
            if purpose == Purpose::Register {
                self.registration_unanswered(now);
            } else if purpose == Purpose::Subscribe {
                self.subscription_unanswered(now, call);
            } else if matches!(purpose, Purpose::Invite | Purpose::Bye | Purpose::Refresh) {
                self.drop_call(call);
            }
            return;
        }
        if !reliable {
            sent.push(Out::Send(client.bytes.clone()));
        }
        client.interval *= 2;
        if !is_invite {
            client.interval = if client.proceeding { T2 } else { client.interval.min(T2) };
        }
        let next = (now + client.interval).min(client.until);
        self.timers.set((number, Act::Repeat), next);
    }

    /// Sends a final response to an INVITE until the ACK comes.
    pub(super) fn begin_final(
        &mut self,
        now: Time,
        call: u64,
        read: &Read,
        success: bool,
        bytes: Bytes,
        sent: &mut Vec<Out>,
    ) {
        self.remember(read, &bytes);
        sent.push(Out::Send(bytes.clone()));
        let until = now + PATIENCE;
        let found = Final { bytes, cseq: read.cseq, success, interval: T1, until };
        self.finals.insert(call, found);
        self.timers.set((call, Act::RepeatFinal), now + T1);
    }

    pub(super) fn repeat_final(&mut self, now: Time, call: u64, sent: &mut Vec<Out>) {
        let reliable = self.is_on_stream();
        let Some(found) = self.finals.get_mut(&call) else { return };
        if now >= found.until {
            let success = found.success;
            self.finals.remove(&call);
            if success {
                self.send_bye(now, call, sent);
            } else {
                self.drop_call(call);
            }
            return;
        }
        // A 2xx is repeated whatever the transport (RFC 3261 13.3.1.4).
        if found.success || !reliable {
            sent.push(Out::Send(found.bytes.clone()));
        }
        found.interval = (found.interval * 2).min(T2);
        let next = (now + found.interval).min(found.until);
        self.timers.set((call, Act::RepeatFinal), next);
    }

    pub(super) fn on_ack(&mut self, now: Time, call: u64, read: &Read) {
        let Some(found) = self.finals.get(&call).filter(|found| found.cseq == read.cseq) else { return };
        let success = found.success;
        self.finals.remove(&call);
        self.timers.cancel((call, Act::RepeatFinal));
        if success {
            self.begin_to_talk(now, call);
        } else {
            self.drop_call(call);
        }
    }
}
