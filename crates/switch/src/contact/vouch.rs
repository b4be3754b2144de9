//! Before the flow begins: whether somebody answers for who calls.

use super::Contact;
use crate::core::Core;
use crate::leg::State;
use dialplan::MachineInput;
use events::{EndedBy, Kind};
use shaken::Failure;

impl Contact {
    /// Whether the flow waits for a certificate.
    pub(crate) fn is_vouching(&self) -> bool {
        self.claim.is_some()
    }

    /// Begins the flow, or refuses the call, once it is known what the claim of its INVITE is worth.
    pub(crate) fn vouch(&mut self, core: &mut Core) {
        let State::Early { .. } = self.caller.state else {
            self.claim = None;
            return;
        };
        let Some(claim) = self.claim.take() else { return };
        let Some(verdict) = core.judge(&claim, self.plan.node.stir.as_ref()) else {
            self.claim = Some(claim);
            return;
        };
        let verstat = verdict.verstat();
        let (passport, failure) = match verdict.found {
            Ok(passport) => (Some(passport), None),
            Err(failure) => (None, Some(failure)),
        };
        let attestation = passport.as_ref().map(|passport| passport.attestation);
        core.log(
            Some(self.id),
            Kind::CallerVerified {
                verstat: verstat.as_str().into(),
                attestation: attestation.map(|it| it.as_str().into()),
                origin: passport.map(|passport| passport.origin_id.into()),
                reason: failure.as_ref().map(ToString::to_string),
            },
        );
        match failure {
            Some(failure) if verdict.is_required => self.refuse_claim(core, &failure),
            _ => {
                self.identity.word = (verstat, attestation);
                self.machine.learn(verstat, attestation);
                self.inbox.push_back(MachineInput::Start);
            }
        }
    }

    /// RFC 8224 section 6.2.2; the reason phrase stands in Reason (RFC 9410), where a proxy leaves it alone.
    fn refuse_claim(&mut self, core: &mut Core, failure: &Failure) {
        let (status, phrase) = (failure.status(), failure.phrase());
        let reason = format!("STIR;cause={status};text=\"{phrase}\"");
        if let Some(invite) = self.caller.invite {
            core.endpoint.reject(core.now, invite, status, &[("Reason", &reason)], &mut core.sip);
        }
        self.caller_gone(core, EndedBy::Switch, Some(status), phrase);
    }
}
