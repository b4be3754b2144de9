//! What the two ends of a stream tell each other by RTCP (RFC 3550 6), and the watch for media that flows one way.

use super::leg::Leg;
use super::relay::DATAGRAM;
use super::{MediaThread, Surroundings};
use crate::ports;
use clock::Time;
use rtp::control::{Event, Missing, StreamId};
use rtp::is_rtcp;
use rustix::event::epoll;
use secure::MAX_OVERHEAD;
use std::net::UdpSocket;
use std::os::fd::OwnedFd;

/// Marks the port of RTCP among the epoll data, beside its stream's slot.
const RTCP: u64 = 1 << 32;

/// Room for a report of one source with its name and metrics.
pub(super) const REPORT: usize = 256;

/// A stream's RTCP, as far as it needs something of its own.
#[derive(Debug, Default)]
pub(super) struct Feedback {
    /// The port after RTP's: only for a party that does not share one.
    socket: Option<UdpSocket>,
    one_way: OneWay,
}

/// The watch for media that flows one way.
#[derive(Debug, Default)]
struct OneWay {
    /// Since when the party is sent media, where both ways are agreed.
    sending: Option<Time>,
    /// When it is told again.
    next: Option<Time>,
}

impl Leg {
    /// Takes one datagram from the port of RTCP.
    fn receive_rtcp(&mut self, now: Time, datagram: &mut [u8]) {
        let Some(socket) = &self.feedback.socket else { return };
        // An ICMP error is no report.
        let Ok((length, from)) = socket.recv_from(datagram) else { return };
        let datagram = &mut datagram[..length];
        if !is_rtcp(datagram) {
            return;
        }
        if let Some(length) = self.protection.open(datagram) {
            self.rtp.receive_rtcp(now, from, &datagram[..length]);
        }
    }

    /// Sends the report that is due, if one is.
    pub(super) fn report(&mut self, now: Time, report: &mut Vec<u8>) {
        let Some(target) = self.rtp.report(now, report) else { return };
        if self.browser.as_ref().is_some_and(|browser| !browser.consents()) {
            return;
        }
        let mut buffer = [0; REPORT + MAX_OVERHEAD];
        let Some(report) = self.protection.seal_rtcp(report, &mut buffer) else { return };
        match &self.feedback.socket {
            // What the network does not take is lost, as on the way.
            Some(socket) => drop(socket.send_to(report, target)),
            None => self.send(report, Some(target)),
        }
    }

    /// Tells where no media has come for a while although both ways are agreed; each again after as long.
    pub(super) fn tell_one_way(&mut self, now: Time, around: &Surroundings) {
        let limit = around.one_way;
        let both = self.setup().is_some_and(|it| !it.fax && it.send && it.receive && it.remote.is_some());
        let reports = self.rtp.reports();
        let watch = &mut self.feedback.one_way;
        if !both || !reports.has_sent() {
            *watch = OneWay::default();
            return;
        }
        let sending = now.since(*watch.sending.get_or_insert(now));
        let from = self.heard.is_none() && sending >= limit;
        let to = reports.is_unheard();
        if !(from || to) || watch.next.is_some_and(|next| now < next) {
            return;
        }
        watch.next = Some(now + limit);
        for (is_missing, missing) in [(from, Missing::From), (to, Missing::To)] {
            if is_missing {
                around.tell(Event::OneWay { stream: self.id, missing });
            }
        }
    }
}

impl Feedback {
    /// The port of RTCP, if it has one of its own.
    pub(super) fn socket(&self) -> Option<&UdpSocket> {
        self.socket.as_ref()
    }

    /// Whether the party is sent media that may flow one way.
    pub(super) fn is_watching(&self) -> bool {
        self.one_way.sending.is_some()
    }
}

impl MediaThread {
    /// Opens the port of RTCP, or closes it, as the party has agreed. Without the port the figures that depend on
    /// it stay unknown.
    pub(super) fn watch_rtcp(&mut self, stream: StreamId) {
        let Some(slot) = self.legs.find(stream) else { return };
        let Some(leg) = self.legs.get_mut(slot) else { return };
        if !leg.setup().is_some_and(|setup| setup.rtcp.is_some() && !setup.has_shared_port()) {
            leg.feedback.socket = None;
            return;
        }
        if leg.feedback.socket.is_some() {
            return;
        }
        let Some(port) = leg.port.checked_add(1) else { return };
        let bound = leg.socket().local_addr().and_then(|local| ports::bind(local.ip(), port));
        leg.feedback.socket = bound.ok().filter(|socket| watch(&self.epoll, slot, socket));
    }

    /// Watches the port of RTCP of the stream in that slot, which came with the stream.
    pub(super) fn watch_rtcp_again(&mut self, slot: usize) {
        if let Some(leg) = self.legs.get_mut(slot) {
            leg.feedback.socket.take_if(|socket| !watch(&self.epoll, slot, socket));
        }
    }

    /// Takes one datagram from the socket that epoll reports under that number.
    pub(super) fn receive_reported(&mut self, now: Time, data: u64) {
        let slot = (data & !RTCP) as usize;
        if data & RTCP == 0 {
            return self.receive_from(now, slot);
        }
        let datagram: &mut [u8; DATAGRAM] = &mut self.datagram;
        if let Some(leg) = self.legs.get_mut(slot) {
            leg.receive_rtcp(now, datagram);
        }
    }
}

/// Whether a port of RTCP could be watched.
fn watch(epoll: &OwnedFd, slot: usize, socket: &UdpSocket) -> bool {
    let data = epoll::EventData::new_u64(slot as u64 | RTCP);
    epoll::add(epoll, socket, data, epoll::EventFlags::IN).is_ok()
}
