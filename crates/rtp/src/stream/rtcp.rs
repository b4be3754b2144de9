//! A leg's RTCP.

use super::Stream;
use crate::control::{AtPeer, Setup};
use crate::rtcp::write_report;
use crate::{LossPattern, Rating, Reception, Reports, VoipMetrics};
use clock::Time;
use std::net::SocketAddr;

impl Stream {
    /// Counts a packet of ours as it goes out, before it is protected.
    pub fn sent(&mut self, packet: &[u8]) {
        self.reports.sent(packet);
    }

    /// Takes RTCP that came to a port of its own; whether it is the party's. A stranger's is counted.
    pub fn receive_rtcp(&mut self, now: Time, from: SocketAddr, datagram: &[u8]) -> bool {
        let is_host = self.source.peer().is_some_and(|peer| peer.ip() == from.ip());
        let is_party = is_host || self.is_rtcp_of(from);
        if is_party {
            self.rtcp_source = Some(from);
            self.reports.hear(now, datagram);
        } else {
            self.foreign();
        }
        is_party
    }

    /// Writes the report that is due, if one is, and says where it goes.
    pub fn report(&mut self, now: Time, out: &mut Vec<u8>) -> Option<SocketAddr> {
        if !self.reports.is_due(now) {
            return None;
        }
        let target = self.rtcp_target()?;
        let ssrc = self.rewriter.ssrc();
        let sender = self.reports.sender(now, self.rewriter.timestamp_at(now));
        let block = self.reception.as_mut().and_then(|reception| reception.report());
        let block = block.map(|block| self.reports.answering(now, block));
        let metrics = block.filter(|_| self.reports.is_extended()).and_then(|block| {
            let millis = self.setup.as_ref().map_or(20, |setup| u16::from(setup.ptime));
            VoipMetrics::of(block.ssrc, &self.pattern(), millis, self.reports.last_round_trip())
        });
        write_report(out, ssrc, sender.as_ref(), block.as_ref(), metrics.as_ref(), self.reports.name());
        Some(target)
    }

    /// What is sent and heard by RTCP.
    pub fn reports(&self) -> &Reports {
        &self.reports
    }

    /// What the party hears of us, as far as it has said so.
    pub(super) fn at_peer(&self) -> Option<AtPeer> {
        let block = self.reports.at_peer()?;
        let clock_rate = self.setup.as_ref()?.codec.clock_rate();
        let jitter = u64::from(block.jitter) * 1_000_000 / u64::from(clock_rate);
        Some(AtPeer {
            lost: block.lost.max(0).cast_unsigned(),
            jitter_micros: u32::try_from(jitter).unwrap_or(u32::MAX),
            mos: self.reports.mos_at_peer(),
        })
    }

    /// What is heard of the party, by what came.
    pub(super) fn listening(&self) -> Option<Rating> {
        Rating::listening(&self.pattern(), crate::Concealment::On)
    }

    /// How the losses lie among what came.
    fn pattern(&self) -> LossPattern {
        self.reception.as_deref().map(Reception::pattern).unwrap_or_default()
    }

    /// Whether RTCP from there is the party's: from where its RTP comes if they share a port, or where SDP says.
    pub(super) fn is_rtcp_of(&self, from: SocketAddr) -> bool {
        let said = self.setup.as_ref().and_then(|setup| setup.rtcp);
        self.source.peer() == Some(from) || said == Some(from)
    }

    fn rtcp_target(&self) -> Option<SocketAddr> {
        let setup = self.setup.as_ref()?;
        let said = setup.rtcp?;
        if setup.has_shared_port() {
            return self.source.target();
        }
        // Behind a NAT what SDP says leads nowhere; where the party's RTCP comes from does.
        let is_reachable =
            self.source.target().map(|target| target.ip()) == setup.remote.map(|remote| remote.ip());
        self.rtcp_source.or_else(|| is_reachable.then_some(said))
    }
}

impl Setup {
    /// Whether RTP and RTCP share a port (RFC 5761).
    pub fn has_shared_port(&self) -> bool {
        self.rtcp.is_some() && self.rtcp == self.remote
    }
}
