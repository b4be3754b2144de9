//! SUBSCRIBE (RFC 6665): who may watch whom.

use super::dialogs::{DIALOG_INFO, Dialogs};
use super::mailbox::SUMMARY;
use super::{Address, UserWatch, What};
use crate::Switch;
use crate::inbound::user_part;
use dialplan::{Destination, User};
use sip::{EndReason, Flow, Message, RequestId, Subscribe, Uri};
use std::sync::Arc;

/// Longer names of the place that users are at are not taken over.
const LONGEST_HOST: usize = 64;

impl Switch {
    /// A SUBSCRIBE outside any dialog, for an event that we know. The state follows at once.
    pub(crate) fn on_subscribe(
        &mut self,
        request: RequestId,
        flow: Flow,
        message: &Message,
        user: Option<&User>,
    ) {
        let watch = match self.watch_of(flow, message, user) {
            Ok(watch) => watch,
            Err(503) => {
                let headers = vec![("Retry-After", "5".to_owned())];
                return self.core.respond(request, 503, &headers);
            }
            Err(status) => return self.core.respond(request, status, &Vec::new()),
        };
        let core = &mut self.core;
        let oldest = core.watches.oldest_of(&watch.watcher);
        let contact = core.contact_uri(&flow);
        let Some(id) = core.endpoint.subscribe(core.now, request, &contact, &mut core.sip) else { return };
        core.watches.watch(id, watch);
        self.notify(id);
        if let Some(oldest) = oldest {
            self.end_watch(oldest, EndReason::Rejected);
        }
    }

    /// What a SUBSCRIBE is to show, or the status to refuse it with. A user sees those of its own client alone: others are
    /// as if they were not there.
    fn watch_of(&self, flow: Flow, message: &Message, user: Option<&User>) -> Result<UserWatch, u16> {
        // A trunk's phones are its own affair.
        let user = user.ok_or(403_u16)?;
        if self.is_draining() {
            return Err(503);
        }
        let client = &self.plan.client(user.client).id;
        let named = user_part(message.request_uri());
        let Some(Destination::User(watched)) = self.plan.destination(client, &named) else { return Err(404) };
        let package = Subscribe::read(message).map(|asked| asked.package).ok_or(489_u16)?;
        let (what, media_type) = match package.as_str() {
            "dialog" => (What::Dialogs(Dialogs::default()), DIALOG_INFO),
            "message-summary" if watched == user.name => (What::Mailbox(None), SUMMARY),
            // Other people's messages; and `refer`, which begins by REFER alone.
            _ => return Err(403),
        };
        if !Subscribe::accepts(message, media_type) {
            return Err(406);
        }
        let address = Address { user: Arc::clone(&watched), host: self.host_of(flow, message) };
        Ok(UserWatch { watcher: Arc::clone(&user.name), watched, client: Arc::clone(client), address, what })
    }

    /// Where the subscriber thinks that users are: phones compare what they are told with what they asked for.
    fn host_of(&self, flow: Flow, message: &Message) -> Box<str> {
        let uri = Uri::parse(message.request_uri()).ok();
        let written = uri.as_ref().and_then(Uri::as_sip).map(|sip| match sip.port {
            Some(port) => format!("{}:{port}", sip.host),
            None => sip.host.to_string(),
        });
        let ours = || self.core.shown(&flow).to_string();
        written.filter(|host| host.len() <= LONGEST_HOST).unwrap_or_else(ours).into()
    }
}
