//! Calls that an operator has the node place, to see whether a trunk carries them out and back in.

use crate::contact::{Contact, Destination, NewContact};
use crate::core::Core;
use crate::fraud::{Bill, Blocked, Payer};
use crate::identity::Identity;
use crate::leg::{Leg, NewLeg};
use crate::{Output, Switch};
use clock::Time;
use dialplan::{CallInfo, Client, Machine, Trunk, Verstat};
use events::{ContactId, Direction, Kind, Party};
use sip::{Flow, Transport};
use std::net::SocketAddr;
use std::sync::Arc;

/// Who calls, in the log: no trunk and no user.
const SOURCE: &str = "test";
/// RFC 3261 section 8.1.1.6.
const MAX_FORWARDS: u8 = 70;

/// Why a test call is not placed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TestCallRefused {
    /// The plan has no such trunk.
    #[error("there is no such trunk")]
    UnknownTrunk,
    /// The trunk has no `to`.
    #[error("the trunk has no `to`: no calls go there")]
    InboundOnly,
    /// No number of a client: the call would go to a stranger, and not come back.
    #[error("no client has that number, so that a call to it would not come back")]
    UnknownNumber,
    /// The name of the trunk is being looked up.
    #[error("the trunk's name is being looked up")]
    Locating,
    /// The trunk's name leads nowhere.
    #[error("the trunk's `to` leads nowhere")]
    Nowhere,
    /// Its media has to be encrypted, and its keys may not go in the clear.
    #[error("the trunk's media is to be encrypted, but keys may not go there over UDP or TCP")]
    Unprotected,
    /// The node ends, or takes no new calls.
    #[error("the node takes no new calls")]
    Closed,
    /// A limit of the trunk, of the client, or of the node.
    #[error("{0}")]
    Full(String),
}

impl Switch {
    /// Calls a client's own number by a trunk: by the first of its servers that a call would try. Whoever answers hears music
    /// for some seconds; after 20 it is over in any case. The contact tells how it went. What follows is appended to
    /// `out`.
    ///
    /// # Errors
    /// Why not; no call is begun then.
    pub fn test_call(
        &mut self,
        now: Time,
        trunk: &str,
        number: &str,
        out: &mut Vec<Output>,
    ) -> Result<ContactId, TestCallRefused> {
        self.within_turn(now, out, |switch| switch.begin_test_call(trunk, number))
    }

    fn begin_test_call(&mut self, trunk: &str, number: &str) -> Result<ContactId, TestCallRefused> {
        use TestCallRefused as Refused;
        let plan = Arc::clone(&self.plan);
        let limits = &plan.node.limits;
        if self.is_draining() || self.core.overload.is_on() {
            return Err(Refused::Closed);
        }
        if u32::try_from(self.contacts.len()).is_ok_and(|up| up >= limits.calls) {
            return Err(Refused::Full(format!("{} calls are up", limits.calls)));
        }
        let trunk = plan.trunk(trunk).ok_or(Refused::UnknownTrunk)?;
        let to = trunk.to.first().ok_or(Refused::InboundOnly)?;
        let (client, flow) = plan.number(None, number).ok_or(Refused::UnknownNumber)?;
        let way = self.core.way_by_trunk(trunk, to)?;
        let (leg, bill) = self.core.leg_to_be_billed(trunk, plan.client(client), number, way)?;
        let id = self.core.new_contact();
        let identity = identity(plan.client(client), number);
        let destination = Destination {
            flow: way,
            request_uri: leg.uri.to_string(),
            number: Some(number.into()),
            route: Vec::new(),
            party: leg.party.clone(),
            resumes: None,
        };
        let info = CallInfo {
            from: Arc::clone(&identity.number),
            to: number.into(),
            source: SOURCE.into(),
            diverted_by: Arc::default(),
            verstat: Verstat::None,
            attestation: None,
            unix_micros_at_zero: self.core.config.unix_micros_at_zero,
            seed: id.0,
        };
        let started = Kind::ContactStarted {
            source: SOURCE.into(),
            client: Arc::clone(&plan.client(client).id),
            from: Arc::clone(&identity.number),
            to: number.into(),
            flow: Arc::default(),
        };
        self.core.log(Some(id), started);
        let contact = Contact::new(NewContact {
            id,
            plan: Arc::clone(&plan),
            client: Arc::clone(&plan.client(client).id),
            identity,
            called: number.into(),
            claim: None,
            max_forwards: MAX_FORWARDS,
            caller: leg,
            machine: Machine::new(Arc::clone(&plan), client, flow, info),
        });
        self.contacts.insert(id, Box::new(contact));
        self.with_contact(id, |contact, core| contact.place_test(core, destination, bill));
        Ok(id)
    }
}

/// As the client's own calls show it.
fn identity(client: &Client, number: &str) -> Identity {
    let own = || client.owns(number).then(|| dialplan::normalized(number).into());
    let shown: Option<Arc<str>> = client.caller_id().cloned().or_else(own);
    Identity {
        number: shown.clone().unwrap_or_else(|| number.into()),
        display: None,
        outside: false,
        withheld: false,
        shown,
        diverted_by: Arc::default(),
        word: (Verstat::None, None),
    }
}

impl Core {
    /// The server of a trunk that a call tries first.
    pub(crate) fn way_by_trunk(&mut self, trunk: &Trunk, to: &Arc<str>) -> Result<Flow, TestCallRefused> {
        let servers = self.locate(to).ok_or(TestCallRefused::Locating)?;
        let order = servers.in_order(|| self.random.next());
        let comes_last =
            |server: &(Transport, SocketAddr)| self.trunks.comes_last(self.now, &trunk.name, *server);
        let server = order.iter().find(|server| !comes_last(server)).or(order.first()).copied();
        let flow = server.and_then(|server| self.flow_to(server, to, Some(&trunk.name)));
        flow.ok_or(TestCallRefused::Nowhere)
    }

    /// The leg, if there is room for it everywhere, and who pays for it.
    pub(crate) fn leg_to_be_billed(
        &mut self,
        trunk: &Trunk,
        client: &Client,
        number: &str,
        flow: Flow,
    ) -> Result<(Leg, Option<Bill>), TestCallRefused> {
        let full = |reason: String| TestCallRefused::Full(reason);
        let direction = Direction::Outbound;
        let protection = self.protection_to(trunk.media, &flow).ok_or(TestCallRefused::Unprotected)?;
        let admitted = self.channels.admit(self.now, trunk, direction);
        admitted.map_err(|limit| full(format!("the trunk {} has its {limit}", trunk.name)))?;
        let bill = self.bill_for_client(client, number).map_err(|blocked| full(blocked.reason))?;
        let port = self.ports.thread_for_call().and_then(|thread| self.ports.take(thread));
        let Some(port) = port else {
            if let Some(bill) = &bill {
                self.accounts.end(self.now, bill);
            }
            return Err(full("no RTP port is free".to_owned()));
        };
        let id = self.new_leg();
        let host = trunk.to.first().map_or("", |to| to.strip_prefix("sip:").unwrap_or(to));
        let uri = format!("sip:{}@{host}", trunk.called(number)).into();
        let party = Party::Trunk(Arc::clone(&trunk.name));
        let new = NewLeg { flow, direction, party, uri, dials_codes: false, protection };
        Ok((Leg::new(self, id, new, port, None), bill))
    }

    fn bill_for_client(&mut self, client: &Client, number: &str) -> Result<Option<Bill>, Blocked> {
        let Some(fraud) = &client.fraud else { return Ok(None) };
        let payers = vec![Payer::Client(Arc::clone(&client.id))];
        self.accounts.admit(self.now, fraud, &payers, number)?;
        self.accounts.begin(self.now, fraud, payers, number).map(Some)
    }
}
