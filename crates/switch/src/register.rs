//! Requests outside calls: REGISTER with digest, OPTIONS, and what is not served.

use crate::Switch;
use crate::core::Core;
use dialplan::{Digest, User};
use events::Kind;
use sip::{
    Algorithm, Binding, Credentials, DigestRequest, Flow, Message, Method, Name, RequestId, Verdict, ha1,
};

type Headers = Vec<(&'static str, String)>;

/// The methods that the switch serves; any other gets 405.
pub(crate) const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER";

/// What a request's credentials are worth.
pub(crate) enum Login {
    User(User),
    /// 401 with a challenge, or 403; the answer is the same whether the user exists or not.
    Refused {
        status: u16,
        headers: Headers,
    },
}

/// A user's address of record, as the registrar and the log know it.
pub(crate) fn address_of_record(user: &str, client: &str) -> String {
    format!("{user}@{client}")
}

impl Core {
    /// Checks a request's digest credentials (RFC 3261 22, RFC 8760) against the plan's users.
    pub(crate) fn authenticate(
        &mut self,
        plan: &dialplan::Config,
        method: &Method,
        message: &Message,
    ) -> Login {
        let realm = &plan.node.realm;
        let given = message
            .header_values(Name::Authorization)
            .filter_map(|value| Credentials::parse(value).ok())
            .find(|credentials| credentials.realm == **realm);
        let Some(given) = given else { return self.challenge(plan, false) };
        let user = plan.user(&given.username).filter(|_| is_offered(plan, given.algorithm));
        // Hashed for strangers too, so that neither time nor answer tells whether a user exists.
        let password = user.as_ref().map_or("", |user| &user.password);
        let ha1 = ha1(given.algorithm, &given.username, realm, password);
        let request = DigestRequest {
            method,
            realm,
            username: &given.username,
            ha1: user.is_some().then_some(ha1.as_str()),
        };
        match (self.verifier.check(self.now, &request, &given), user) {
            (Verdict::Valid, Some(user)) => Login::User(user),
            (Verdict::Stale | Verdict::Replayed, _) => self.challenge(plan, true),
            _ => self.challenge(plan, false),
        }
    }

    fn challenge(&mut self, plan: &dialplan::Config, stale: bool) -> Login {
        let algorithms = plan.node.digest.iter().copied().map(algorithm_of);
        let challenge =
            |algorithm| self.verifier.challenge(self.now, &plan.node.realm, algorithm, stale).to_string();
        let headers = algorithms.map(challenge).map(|challenge| ("WWW-Authenticate", challenge)).collect();
        Login::Refused { status: 401, headers }
    }

    fn respond(&mut self, request: RequestId, status: u16, headers: &Headers) {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.endpoint.respond(self.now, request, status, &headers, None, &mut self.sip);
    }
}

impl Switch {
    pub(crate) fn on_request(&mut self, request: RequestId, flow: Flow, message: &Message) {
        let (status, headers) = match message.method() {
            Method::Register => self.register(flow, message),
            Method::Options if self.is_draining() => (503, vec![header("Retry-After", "5")]),
            Method::Options => (200, vec![header("Allow", ALLOW), header("Accept", "application/sdp")]),
            _ => (405, vec![header("Allow", ALLOW)]),
        };
        self.core.respond(request, status, &headers);
    }

    fn register(&mut self, flow: Flow, message: &Message) -> (u16, Headers) {
        let user = match self.core.authenticate(&self.plan, &Method::Register, message) {
            Login::User(user) => user,
            Login::Refused { status, headers } => return (status, headers),
        };
        let named = message.to().ok().and_then(|to| Some(to.uri().ok()?.user()?.into_owned()));
        // A user's password registers that user and nobody else (RFC 3261 10.3 step 4).
        if named.as_deref() != Some(&*user.name) {
            return (403, Headers::new());
        }
        let aor = address_of_record(&user.name, &self.plan.client(user.client).id);
        let core = &mut self.core;
        let before: Vec<_> =
            core.registrar.lookup(core.now, &aor).map(|binding| binding.uri.clone()).collect();
        match core.registrar.register(core.now, &aor, message, flow) {
            Ok(bindings) => {
                log_changes(core, &aor, message, &before, &bindings);
                let headers = bindings
                    .iter()
                    .map(|binding| {
                        let left = (binding.expires_at - core.now).as_secs();
                        ("Contact", format!("<{}>;expires={left}", binding.uri))
                    })
                    .collect();
                (200, headers)
            }
            Err(reject) => (reject.status, reject.headers),
        }
    }
}

/// Tells the log what a REGISTER changed: the contacts that it removed, and those that it named and are there.
fn log_changes(core: &mut Core, aor: &str, message: &Message, before: &[String], after: &[Binding]) {
    for uri in before.iter().filter(|uri| !after.iter().any(|binding| binding.uri == **uri)) {
        core.log(None, Kind::Unregistered { user: aor.to_owned(), contact: uri.clone() });
    }
    for binding in after {
        let is_named = message
            .contacts()
            .flatten()
            .any(|contact| contact.uri().is_ok_and(|uri| uri.as_str() == binding.uri));
        if is_named {
            let left = (binding.expires_at - core.now).as_secs();
            let expires = u32::try_from(left).unwrap_or(u32::MAX);
            core.log(None, Kind::Registered { user: aor.to_owned(), contact: binding.uri.clone(), expires });
        }
    }
}

/// Whether phones are challenged with an algorithm; an answer by another is worth nothing.
fn is_offered(plan: &dialplan::Config, algorithm: Algorithm) -> bool {
    plan.node.digest.iter().any(|digest| algorithm_of(*digest) == algorithm)
}

fn algorithm_of(digest: Digest) -> Algorithm {
    match digest {
        Digest::Md5 => Algorithm::Md5,
        Digest::Sha256 => Algorithm::Sha256,
    }
}

fn header(name: &'static str, value: &str) -> (&'static str, String) {
    (name, value.to_owned())
}
