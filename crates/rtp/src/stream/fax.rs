//! A leg's fax: UDPTL in the place of its RTP.

use super::Stream;
use crate::control::FaxStats;
use crate::udptl::Udptl;
use crate::{Header, Reception, Verdict};
use clock::Time;
use std::net::SocketAddr;

/// What is counted of fax; it has numbers of its own.
#[derive(Clone, Debug, Default)]
pub(super) struct Fax {
    reception: Reception,
    sent: u64,
    malformed: u64,
}

impl Stream {
    /// Whether UDPTL has the place of RTP.
    pub fn is_fax(&self) -> bool {
        self.setup.as_ref().is_some_and(|setup| setup.fax)
    }

    /// Takes a datagram that came from `from` while there is fax; whether it is the party's and of the right shape, and so
    /// is passed on whole.
    pub fn receive_fax(&mut self, now: Time, from: SocketAddr, datagram: &[u8]) -> bool {
        let Some(fax) = self.fax.as_mut().filter(|_| self.setup.as_ref().is_some_and(|setup| setup.fax))
        else {
            return false;
        };
        let Ok(Udptl { sequence, .. }) = Udptl::parse(datagram) else {
            fax.malformed += 1;
            return false;
        };
        // The numbers alone tell the packets of a gateway from a scanner's.
        if self.source.accept(now, from, 0, sequence) == Verdict::Foreign {
            self.foreign += 1;
            return false;
        }
        // One that was sent again may reach the other party where the first did not: it goes on, too.
        let _arrival = fax.reception.packet(now, &Header { sequence, ..Header::default() }, None);
        true
    }

    /// Where UDPTL to the party goes; `None` while it wants none, or there is no fax.
    pub fn fax_target(&self) -> Option<SocketAddr> {
        let wanted = self.setup.as_ref().is_some_and(|it| it.fax && it.send && it.remote.is_some());
        if wanted { self.source.target() } else { None }
    }

    /// Counts a datagram of UDPTL as it goes out.
    pub fn fax_sent(&mut self) {
        if let Some(fax) = &mut self.fax {
            fax.sent += 1;
        }
    }

    /// What was counted of fax.
    pub(super) fn fax_stats(&self) -> Option<FaxStats> {
        self.fax.as_ref().map(|fax| FaxStats {
            received: fax.reception.received(),
            sent: fax.sent,
            lost: fax.reception.lost(),
            malformed: fax.malformed,
        })
    }
}
