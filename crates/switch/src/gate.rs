//! Who may begin something: the endpoint asks before it keeps anything of a request.

use clock::Time;
use dialplan::{Config, Digest, User};
use sip::{
    Admission, Algorithm, Credentials, DigestRequest, Flow, Message, Method, Name, Verdict, Verifier, ha1,
};

/// Judges the requests of one message.
pub(crate) struct Gate<'a> {
    pub(crate) now: Time,
    pub(crate) plan: &'a Config,
    pub(crate) verifier: &'a mut Verifier,
}

impl Gate<'_> {
    /// Trunks are who their address says; everybody else proves to be a user, or is challenged and forgotten.
    pub(crate) fn admit(&mut self, flow: &Flow, request: &Message) -> Admission {
        // A binding is a user's, whatever the address.
        let is_trunk = *request.method() != Method::Register && self.plan.trunk_for(flow.peer.ip()).is_some();
        if is_trunk { Admission::Admit(None) } else { self.authenticate(request) }
    }

    /// Checks a request's digest credentials (RFC 3261 22, RFC 8760) against the plan's users. The answer is the
    /// same whether the user exists or not.
    fn authenticate(&mut self, request: &Message) -> Admission {
        let realm = &self.plan.node.realm;
        let given = request
            .header_values(Name::Authorization)
            .filter_map(|value| Credentials::parse(value).ok())
            .find(|credentials| credentials.realm == **realm);
        let Some(given) = given else { return self.challenge(false) };
        match self.judge(request, &given) {
            (Verdict::Valid, Some(user)) => Admission::Admit(Some(user.name)),
            (Verdict::Stale | Verdict::Replayed, _) => self.challenge(true),
            _ => self.challenge(false),
        }
    }

    fn judge(&mut self, request: &Message, given: &Credentials) -> (Verdict, Option<User>) {
        let realm = &self.plan.node.realm;
        let user = self.plan.user(&given.username).filter(|_| self.is_offered(given.algorithm));
        // Hashed for strangers too, so that neither time nor answer tells whether a user exists.
        let password = user.as_ref().map_or("", |user| &user.password);
        let ha1 = ha1(given.algorithm, &given.username, realm, password);
        let digest = DigestRequest {
            method: request.method(),
            realm,
            username: &given.username,
            ha1: user.is_some().then_some(ha1.as_str()),
        };
        (self.verifier.check(self.now, &digest, given), user)
    }

    fn challenge(&mut self, stale: bool) -> Admission {
        let algorithms = self.plan.node.digest.iter().copied().map(algorithm_of);
        let challenge = |algorithm| {
            let challenge = self.verifier.challenge(self.now, &self.plan.node.realm, algorithm, stale);
            ("WWW-Authenticate", challenge.to_string())
        };
        Admission::Refuse { status: 401, headers: algorithms.map(challenge).collect() }
    }

    /// Whether phones are challenged with an algorithm; an answer by another is worth nothing.
    fn is_offered(&self, algorithm: Algorithm) -> bool {
        self.plan.node.digest.iter().any(|digest| algorithm_of(*digest) == algorithm)
    }
}

fn algorithm_of(digest: Digest) -> Algorithm {
    match digest {
        Digest::Md5 => Algorithm::Md5,
        Digest::Sha256 => Algorithm::Sha256,
    }
}
