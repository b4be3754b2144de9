use super::MediaThread;
use clock::Time;

/// Room for one datagram; what is longer is no packet of a call and is cut.
pub(super) const DATAGRAM: usize = 2_048;

impl MediaThread {
    /// Takes one packet from the stream in that slot and passes it to its partner.
    pub(super) fn receive_from(&mut self, now: Time, slot: usize) {
        let datagram = &mut self.datagram[..];
        let Some(leg) = self.legs.get_mut(slot) else { return };
        let Some((length, from)) = leg.receive(datagram) else { return };
        let datagram = &mut datagram[..length];
        let Some(heard) = leg.hear(now, from, datagram, &mut self.around) else { return };
        let Some(partner) = leg.partner.and_then(|slot| self.legs.get_mut(slot)) else { return };
        partner.forward(now, &heard, datagram, &mut self.around);
    }
}
