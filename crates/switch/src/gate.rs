//! Who may begin something: the endpoint asks before it keeps anything of a request.

use crate::guard::{Ban, Guard, Offence, VOUCHED, is_trusted};
use crate::inbound::user_part;
use crate::overload::Overload;
use crate::trunks::Trunks;
use clock::Time;
use dialplan::{Config, Digest, User};
use sip::{
    Admission, Algorithm, Credentials, DigestRequest, Flow, Message, Method, Name, Verdict, Verifier, ha1,
};
use std::net::IpAddr;

/// Judges the requests of one message.
pub(crate) struct Gate<'a> {
    pub(crate) now: Time,
    pub(crate) plan: &'a Config,
    pub(crate) overload: &'a mut Overload,
    pub(crate) trunks: &'a Trunks,
    pub(crate) verifier: &'a mut Verifier,
    pub(crate) guard: &'a mut Guard,
    /// What the request leads to besides its answer.
    pub(crate) banned: Option<Ban>,
}

impl Gate<'_> {
    /// In overload nobody begins anything. Trunks are who their address says, or whom a registration of ours has told where to call; everybody else proves to be a user, or is challenged and forgotten.
    /// Whom we know may ask by OPTIONS whether we live (RFC 3261 section 11).
    pub(crate) fn admit(&mut self, flow: &Flow, request: &Message) -> Admission {
        if let Some(seconds) = self.overload.sheds(request) {
            return Admission::Refuse { status: 503, headers: vec![("Retry-After", seconds.to_string())] };
        }
        let ip = flow.peer.ip();
        let passes = match request.method() {
            // A binding and a text are a user's, whatever the address.
            Method::Register | Method::Message => false,
            Method::Options => is_trusted(self.plan, ip) || self.guard.knows(self.now, ip),
            _ => self.plan.trunk_for(ip).is_some() || self.is_for_registration(request),
        };
        if passes { Admission::Admit(None) } else { self.authenticate(flow, request) }
    }

    /// Checks a request's digest credentials (RFC 3261 22, RFC 8760) against the plan's users. The answer is the
    /// same whether the user exists or not.
    fn authenticate(&mut self, flow: &Flow, request: &Message) -> Admission {
        let realm = &self.plan.node.realm;
        let given = request
            .header_values(Name::Authorization)
            .filter_map(|value| Credentials::parse(value).ok())
            .find(|credentials| credentials.realm == **realm);
        let ip = flow.peer.ip();
        // A proxy of ours may have several addresses.
        let peer = (!is_trusted(self.plan, ip)).then_some(ip);
        let Some(given) = given else {
            if *request.method() == Method::Invite && !self.is_ours(request) {
                self.suspect(flow, (Offence::UnknownNumber, false));
            }
            return self.challenge(peer, false);
        };
        let (verdict, user, reached) = self.judge(peer, request, &given);
        match (verdict, user) {
            (Verdict::Valid, Some(user)) => {
                self.guard.vouch(ip, self.now + VOUCHED);
                Admission::Admit(Some(user.name))
            }
            (Verdict::Stale | Verdict::Replayed, _) => self.challenge(peer, true),
            (Verdict::Elsewhere, _) => elsewhere(),
            (Verdict::Valid | Verdict::Wrong, _) => {
                self.suspect(flow, (Offence::WrongDigest, reached));
                self.challenge(peer, false)
            }
        }
    }

    /// The verdict, the user, and whether the sender has received a challenge of ours where it says it is.
    fn judge(
        &mut self,
        peer: Option<IpAddr>,
        request: &Message,
        given: &Credentials,
    ) -> (Verdict, Option<User>, bool) {
        let realm = &self.plan.node.realm;
        let user = self.plan.user(&given.username).filter(|_| self.is_offered(given.algorithm));
        // Hashed for strangers too, so that neither time nor answer tells whether a user exists.
        let password = user.as_ref().map_or("", |user| &user.password);
        let ha1 = ha1(given.algorithm, &given.username, realm, password);
        let digest = DigestRequest {
            method: request.method(),
            request_uri: request.request_uri(),
            peer,
            realm,
            username: &given.username,
            ha1: user.is_some().then_some(ha1.as_str()),
        };
        let verdict = self.verifier.check(self.now, &digest, given);
        let reached = verdict == Verdict::Wrong && self.verifier.reached(self.now, &digest, given);
        (verdict, user, reached)
    }

    fn challenge(&mut self, peer: Option<IpAddr>, stale: bool) -> Admission {
        let Self { now, plan, verifier, .. } = self;
        let algorithms = plan.node.digest.iter().copied().map(algorithm_of);
        let challenge = |algorithm| {
            let challenge = verifier.challenge(*now, (&plan.node.realm, peer), algorithm, stale);
            ("WWW-Authenticate", challenge.to_string())
        };
        Admission::Refuse { status: 401, headers: algorithms.map(challenge).collect() }
    }

    fn suspect(&mut self, flow: &Flow, offence: (Offence, bool)) {
        self.banned = self.guard.suspect(self.now, self.plan, flow, offence);
    }

    /// Whether a request goes to what only a registrar of ours knows.
    fn is_for_registration(&self, request: &Message) -> bool {
        self.trunks.owner_of(&user_part(request.request_uri())).is_some()
    }

    /// Whether a request is for a number or pickup code of a client. A phone that calls outside before it has proved who it is
    /// is suspected, until it proves it.
    fn is_ours(&self, request: &Message) -> bool {
        self.plan.is_number(&user_part(request.request_uri()))
    }

    /// Whether phones are challenged with an algorithm; an answer by another is worth nothing.
    fn is_offered(&self, algorithm: Algorithm) -> bool {
        self.plan.node.digest.iter().any(|digest| algorithm_of(*digest) == algorithm)
    }
}

/// RFC 7616 section 3.4.6. Whoever reads this has the password, or has a digest that was made with it.
fn elsewhere() -> Admission {
    let warning = "399 ringdown \"the digest is for another user or number than the Request-URI\"".to_owned();
    Admission::Refuse { status: 400, headers: vec![("Warning", warning)] }
}

fn algorithm_of(digest: Digest) -> Algorithm {
    match digest {
        Digest::Md5 => Algorithm::Md5,
        Digest::Sha256 => Algorithm::Sha256,
    }
}
