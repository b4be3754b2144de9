use super::MediaThread;
use super::leg::Way;
use clock::Time;

/// Room for one datagram; what is longer is no packet of a call and is cut.
pub(super) const DATAGRAM: usize = 2_048;

impl MediaThread {
    /// Takes one packet from the stream in that slot and passes it to its partner.
    pub(super) fn receive_from(&mut self, now: Time, slot: usize) {
        let datagram = &mut self.datagram[..];
        let Some(leg) = self.legs.get_mut(slot) else { return };
        let Some((length, from)) = leg.receive(now, datagram, &self.around) else { return };
        if leg.rtp.is_fax() {
            return self.pass_fax(now, slot, from, length);
        }
        let datagram = &mut datagram[..length];
        let Some(heard) = leg.hear(now, from, datagram, &mut self.around) else { return };
        if let Some(room) = leg.room.and_then(|room| self.rooms.get(&room)) {
            return leg.listen(now, &heard, datagram, room.rate());
        }
        let (is_decoded, partner) = (leg.transcoder.is_hearing(), leg.partner);
        let Some(partner) = partner.and_then(|slot| self.legs.get_mut(slot)) else { return };
        let (way, listener) = (partner.way_for(&heard, is_decoded), partner.id);
        match way {
            Way::Relayed if !is_decoded => partner.forward(now, &heard, datagram, &mut self.around),
            Way::Relayed => {
                partner.forward(now, &heard, datagram, &mut self.around);
                self.stop_hearing(slot);
            }
            Way::Decoded(rate) => {
                partner.press_again(&heard);
                if let Some(leg) = self.legs.get_mut(slot) {
                    leg.listen(now, &heard, &self.datagram[..length], rate);
                }
                self.wake(now, listener);
            }
            Way::Muted => {}
            Way::Withheld => self.stop_hearing(slot),
        }
    }

    fn stop_hearing(&mut self, slot: usize) {
        if let Some(leg) = self.legs.get_mut(slot) {
            leg.transcoder.stop_hearing();
        }
    }
}
