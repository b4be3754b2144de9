//! Fax by T.38: UDPTL passed on whole between two parties that both have it.

use super::MediaThread;
use super::leg::Leg;
use super::relay::DATAGRAM;
use clock::Time;
use std::net::SocketAddr;

impl MediaThread {
    /// Passes a datagram of the stream in that slot on as it came, redundancy and all, if it is the party's and of the right
    /// shape. A party that has audio meanwhile is sent none of it.
    pub(super) fn pass_fax(&mut self, now: Time, slot: usize, from: SocketAddr, length: usize) {
        let datagram: &[u8; DATAGRAM] = &self.datagram;
        let Some(leg) = self.legs.get_mut(slot) else { return };
        if !leg.rtp.receive_fax(now, from, &datagram[..length]) {
            return;
        }
        leg.note_heard(now, from, &self.around);
        let partner = leg.partner;
        if let Some(partner) = partner.and_then(|slot| self.legs.get_mut(slot)) {
            partner.send_fax(&datagram[..length]);
        }
    }
}

impl Leg {
    fn send_fax(&mut self, datagram: &[u8]) {
        if let Some(target) = self.rtp.fax_target() {
            self.rtp.fax_sent();
            self.send(datagram, Some(target));
        }
    }
}
