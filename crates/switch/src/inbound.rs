//! A new INVITE: who calls, which number, and whether there is room.

use crate::Switch;
use crate::channels::Full;
use crate::contact::{Contact, NewContact};
use crate::core::Core;
use crate::identity::Identity;
use crate::leg::{Leg, NewLeg};
use crate::protection::media_of;
use crate::stir::Claim;
use dialplan::{CallInfo, ClientIndex, FlowIndex, Machine, Trunk};
use events::{Cause, ContactId, Direction, EndedBy, Kind, LegId, Party};
use sip::{Flow, InviteId, Message, Uri};
use std::borrow::Cow;
use std::sync::Arc;

/// Seconds after which a caller that found no room in the node may try again.
const RETRY_AFTER: &str = "5";

/// Where a call comes from.
pub(crate) struct Source {
    pub(crate) name: Arc<str>,
    pub(crate) party: Party,
}

/// Why a call is not taken.
pub(crate) struct Refusal {
    status: u16,
    /// Seconds.
    retry_after: Option<&'static str>,
    reason: Cow<'static, str>,
}

/// Who calls, and what the number leads to.
struct Identified {
    source: Source,
    identity: Identity,
    to: Arc<str>,
    place: Option<(ClientIndex, FlowIndex)>,
}

/// A call as far as it is known before anything is done for it.
pub(crate) struct Call<'a> {
    pub(crate) id: InviteId,
    pub(crate) flow: Flow,
    pub(crate) message: &'a Message,
    pub(crate) source: Source,
    identity: Identity,
    pub(crate) to: Arc<str>,
}

impl Call<'_> {
    /// The URI of its From.
    pub(crate) fn uri(&self) -> Arc<str> {
        let uri = self.message.from().ok().and_then(|from| Some(from.uri().ok()?.as_str().into()));
        uri.unwrap_or_else(|| Arc::clone(&self.identity.number))
    }
}

impl Switch {
    pub(crate) fn on_invite(&mut self, id: InviteId, flow: Flow, message: &Message, user: Option<Arc<str>>) {
        let called = user_part(message.request_uri());
        let found = match self.registered_trunk(&called, message) {
            Some((trunk, to)) => Some(self.identify_trunk(trunk, &to, message)),
            None => self.identify(flow, user, &called, message),
        };
        let Some(Identified { source, identity, to, place }) = found else {
            // The gate admits nobody else.
            return self.core.endpoint.reject(self.core.now, id, 403, &[], &mut self.core.sip);
        };
        if let Party::Trunk(trunk) = &source.party {
            self.core.show_to_trunk(flow.peer.ip(), trunk);
        }
        let call = Call { id, flow, message, source, identity, to };
        let taken = match (self.replaced_by(&call), place) {
            (Err(refusal), _) => Err(refusal),
            (Ok(Some(leg)), _) => self.replace(&call, leg),
            (Ok(None), None) => Err(Refusal::not_found()),
            (Ok(None), Some((client, number))) => self
                .find_room(&call.source)
                .and_then(|thread| self.start_contact(&call, (client, number), thread)),
        };
        if let Err(refusal) = taken {
            self.refuse(&call, refusal);
        }
    }

    /// The source of a call and what its number leads to.
    fn identify(
        &self,
        flow: Flow,
        user: Option<Arc<str>>,
        to: &str,
        message: &Message,
    ) -> Option<Identified> {
        if let Some(trunk) = self.plan.trunk_for(flow.peer.ip()) {
            return Some(self.identify_trunk(trunk, to, message));
        }
        let user = self.plan.user(&user?)?;
        let place = self.plan.called_by_user(user.client, to).map(|flow| (user.client, flow));
        let party = Party::User(Arc::clone(&user.name));
        let identity = Identity::of_user(&user, message);
        let source = Source { name: user.name, party };
        Some(Identified { source, identity, to: to.into(), place })
    }

    fn identify_trunk(&self, trunk: &Trunk, to: &str, message: &Message) -> Identified {
        let name = Arc::clone(&trunk.name);
        let source = Source { party: Party::Trunk(Arc::clone(&name)), name };
        let to = trunk.inbound(to);
        let place = self.plan.number(Some(trunk), &to);
        let identity = Identity::told_by(trunk, message);
        Identified { source, identity, to: to.into(), place }
    }

    /// The trunk that a call to a registration of ours is from, and the number that its caller dialled: the Request-URI
    /// is our Contact by then. A registrar that keeps it tells it in P-Called-Party-ID (RFC 7315 section 4.2).
    fn registered_trunk<'m>(&self, called: &str, message: &'m Message) -> Option<(&Trunk, Cow<'m, str>)> {
        let name = self.core.trunks.owner_of(called)?;
        let trunk = self.plan.trunk(name)?;
        let told = message.header_text("P-Called-Party-ID").map(uri_within);
        let told = told.or_else(|| Some(message.to().ok()?.uri_text()));
        let own = || Cow::Owned(trunk.register.as_ref().map_or_else(String::new, |it| it.user.clone()));
        Some((trunk, told.map(user_part).filter(|user| !user.is_empty()).unwrap_or_else(own)))
    }

    /// The client's number that a call shows on trunks: its user's, or the one that was called, or the client's usual one.
    fn shown_by(&self, call: &Call<'_>, client: ClientIndex) -> Option<Arc<str>> {
        let company = self.plan.client(client);
        let called = || company.owns(&call.to).then(|| dialplan::normalized(&call.to).into());
        let own = call.identity.shown.clone();
        own.or_else(|| called().filter(|_| call.identity.outside)).or_else(|| company.caller_id().cloned())
    }

    /// The media thread for one more call, if it may come; that of a limited trunk or node counts to its pace from now on.
    fn find_room(&mut self, source: &Source) -> Result<u16, Refusal> {
        let contacts = u32::try_from(self.contacts.len()).unwrap_or(u32::MAX);
        let limits = &self.plan.node.limits;
        if self.is_draining() {
            return Err(Refusal::no_room("the node drains"));
        }
        if contacts >= limits.calls {
            return Err(Refusal::no_room(format!("no room: {} calls are up", limits.calls)));
        }
        let thread = self.core.ports.thread_for_call().ok_or_else(Refusal::no_port)?;
        let Core { channels, now, .. } = &mut self.core;
        if let Party::Trunk(name) = &source.party
            && let Some(trunk) = self.plan.trunk(name)
        {
            let refusal = |full: Full| Refusal::full(full, &format!("the trunk {name} has its"));
            channels.admit(*now, trunk, Direction::Inbound).map_err(refusal)?;
        }
        let refusal = |full: Full| Refusal::full(full, "the node has its");
        channels.admit_to_node(*now, limits.per_second).map_err(refusal)?;
        Ok(thread)
    }

    fn start_contact(
        &mut self,
        call: &Call<'_>,
        (client, number): (ClientIndex, FlowIndex),
        thread: u16,
    ) -> Result<(), Refusal> {
        let core = &mut self.core;
        let port = core.ports.take(thread).ok_or_else(Refusal::no_port)?;
        let leg = core.new_leg();
        let (party, direction) = (call.source.party.clone(), Direction::Inbound);
        let company = self.plan.client(client);
        let dials_codes = matches!(call.source.party, Party::User(_)) && !company.features.is_empty();
        let media = media_of(&self.plan, &company.id, &party);
        let protection = core.protection_from(media, &call.flow);
        let new = NewLeg { flow: call.flow, direction, party, uri: call.uri(), dials_codes, protection };
        let mut caller = Leg::new(core, leg, new, port, None);
        if let Err(error) = offer_of(call.message, &mut caller) {
            caller.discard(core);
            return Err(Refusal::of_offer(error.status()));
        }
        caller.invite = Some(call.id);
        let (company_id, flow) = (Arc::clone(&company.id), Arc::clone(company.flow(number)));
        let id = core.new_contact();
        self.log_start(id, leg, call, &company_id, &flow);
        let core = &mut self.core;
        core.invites.insert(call.id, (id, leg));
        core.log_early_wires(call.id);
        if let Party::User(user) = &call.source.party {
            core.users.occupy(user, id);
        }
        let info = CallInfo {
            from: Arc::clone(&call.identity.number),
            to: Arc::clone(&call.to),
            source: Arc::clone(&call.source.name),
            diverted_by: Arc::clone(&call.identity.diverted_by),
            verstat: call.identity.word.0,
            attestation: call.identity.word.1,
            unix_micros_at_zero: core.config.unix_micros_at_zero,
            seed: id.0,
        };
        let contact = Contact::new(NewContact {
            id,
            plan: Arc::clone(&self.plan),
            client: company_id,
            called: Arc::clone(&call.to),
            identity: Identity { shown: self.shown_by(call, client), ..call.identity.clone() },
            claim: self.claim_of(call),
            max_forwards: call.message.max_forwards().unwrap_or(70).saturating_sub(1),
            caller,
            machine: Machine::new(Arc::clone(&self.plan), client, number, info),
        });
        self.contacts.insert(id, Box::new(contact));
        self.with_contact(id, Contact::vouch);
        Ok(())
    }

    /// What the call says of who answers for its caller, if its trunk is asked.
    fn claim_of(&self, call: &Call<'_>) -> Option<Claim> {
        let Party::Trunk(name) = &call.source.party else { return None };
        Claim::of(self.plan.trunk(name)?, call.message, self.core.unix_seconds())
    }

    /// Refuses a call from a known source, and tells the log: someone will ask why.
    fn refuse(&mut self, call: &Call<'_>, Refusal { status, retry_after, reason }: Refusal) {
        let id = self.core.new_contact();
        let leg = self.core.new_leg();
        self.log_start(id, leg, call, &"".into(), &"".into());
        let core = &mut self.core;
        core.invites.insert(call.id, (id, leg));
        core.log_early_wires(call.id);
        let headers: Vec<_> = retry_after.map(|seconds| ("Retry-After", seconds)).into_iter().collect();
        let said = core.sip.len();
        core.endpoint.reject(core.now, call.id, status, &headers, &mut core.sip);
        // The refusal belongs into the history before its end; the ACK that follows does not.
        let wires: Vec<_> =
            core.sip.extract_if(said.., |output| matches!(output, sip::Output::Wire(_))).collect();
        for output in wires {
            if let sip::Output::Wire(wire) = output {
                core.log_wire(wire);
            }
        }
        core.invites.remove(&call.id);
        let cause = Cause { by: EndedBy::Switch, status: Some(status), reason: reason.into() };
        core.log(Some(id), Kind::LegEnded { leg, cause: cause.clone() });
        core.log(Some(id), Kind::ContactEnded { cause });
    }

    fn log_start(&mut self, id: ContactId, leg: LegId, call: &Call<'_>, client: &Arc<str>, flow: &Arc<str>) {
        self.core.log(
            Some(id),
            Kind::ContactStarted {
                source: Arc::clone(&call.source.name),
                client: Arc::clone(client),
                from: Arc::clone(&call.identity.number),
                to: Arc::clone(&call.to),
                flow: Arc::clone(flow),
            },
        );
        self.log_leg_start(id, leg, call);
    }

    pub(crate) fn log_leg_start(&mut self, id: ContactId, leg: LegId, call: &Call<'_>) {
        self.core.log_leg(
            id,
            &call.source.party,
            Kind::LegStarted {
                leg,
                direction: Direction::Inbound,
                party: call.source.party.clone(),
                uri: call.uri(),
                call_id: call.message.call_id().into(),
            },
        );
    }
}

impl Refusal {
    pub(crate) fn of(status: u16, reason: &'static str) -> Self {
        Self { status, retry_after: None, reason: reason.into() }
    }

    pub(crate) fn not_found() -> Self {
        Self::of(404, "number not found")
    }

    pub(crate) fn of_offer(status: u16) -> Self {
        let reason = if status == 488 { "nothing to agree on in the offer" } else { "bad offer" };
        Self::of(status, reason)
    }

    pub(crate) fn no_room(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { status: 503, retry_after: Some(RETRY_AFTER), reason: reason.into() }
    }

    pub(crate) fn no_port() -> Self {
        Self::no_room("no room: no RTP port is free")
    }

    fn full(full: Full, who: &str) -> Self {
        Self { status: 503, retry_after: Some(full.retry_after()), reason: format!("{who} {full}").into() }
    }
}

pub(crate) fn offer_of(message: &Message, caller: &mut Leg) -> Result<(), sdp::SdpError> {
    message.sdp().map_or(Ok(()), |offer| caller.receive_offer(&offer))
}

pub(crate) fn user_part(uri: &str) -> Cow<'_, str> {
    Uri::parse(uri).ok().and_then(|uri| uri.user()).unwrap_or(Cow::Borrowed(""))
}

/// The URI of a name-addr.
fn uri_within(value: &str) -> &str {
    let after = value.split_once('<').map_or(value, |(_, after)| after);
    after.split(['>', ';']).next().unwrap_or(after)
}
