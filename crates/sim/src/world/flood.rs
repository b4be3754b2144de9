//! Who means harm: scanners, floods, and datagrams with somebody else's address.

use super::cast::SWITCH;
use super::{Delivery, World};
use crate::dice::Dice;
use crate::plan;
use clock::Duration;
use rand_chacha::rand_core::Rng as _;
use sip::Flow;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// How long an attack lasts.
const LENGTH: Duration = Duration::from_secs(2);

/// One attack.
#[derive(Clone, Copy, Debug)]
pub(super) enum Attack {
    /// One address that calls itself a scanner.
    Scan,
    /// REGISTERs of one address, for many users.
    Register,
    /// INVITEs of as many addresses.
    Invite,
    /// A scanner's requests with the addresses of trunks and registered phones.
    Forged,
}

impl World {
    /// In some seeds the node is attacked, once or several times.
    pub(super) fn draw_attacks(&mut self) {
        for attack in [Attack::Scan, Attack::Register, Attack::Invite, Attack::Forged] {
            if self.rng.chance(100) {
                let at = Duration::from_secs(5) + self.rng.within(Duration::from_secs(80));
                self.send(at, Delivery::Attack(attack));
            }
        }
    }

    pub(super) fn attack(&mut self, attack: Attack) {
        let (method, agent) = match attack {
            Attack::Scan | Attack::Forged => ("OPTIONS", "friendly-scanner"),
            Attack::Register => ("REGISTER", "phone"),
            Attack::Invite => ("INVITE", "phone"),
        };
        let attacker = Ipv4Addr::from([10, 0, 9, 10 + self.rng.below(200) as u8]);
        let honest = self.protected();
        for _ in 0..3 * plan::STRANGERS {
            let from = match attack {
                Attack::Scan | Attack::Register => attacker.into(),
                Attack::Invite => Ipv4Addr::from([10, 0, 9, self.rng.below(256) as u8]).into(),
                Attack::Forged => self.rng.pick(&honest),
            };
            let (from, number) = (SocketAddr::new(from, 5060), self.rng.next_u64());
            let text = request(method, agent, from, number);
            let delay = self.rng.within(LENGTH);
            self.send(delay, Delivery::ToSwitch { flow: Flow::udp(SWITCH, from), bytes: text.into() });
        }
    }

    /// Whom no attack may harm: trunks, and where phones are registered at present.
    pub(super) fn protected(&self) -> Vec<IpAddr> {
        let ips = self.phones.iter().map(|phone| (phone.name, phone.address.ip()));
        let safe =
            ips.filter(|(name, ip)| matches!(*name, "carrier" | "pbx") || self.history.is_registered_at(*ip));
        safe.map(|(_, ip)| ip).collect()
    }
}

fn request(method: &str, agent: &str, from: SocketAddr, number: u64) -> String {
    let user = number % 1_000;
    format!(
        "{method} sip:{user}@{SWITCH} SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{number:x};rport\r\n\
         From: <sip:{user}@{SWITCH}>;tag={number:x}\r\nTo: <sip:{user}@{SWITCH}>\r\nCall-ID: {number:x}\r\n\
         CSeq: 1 {method}\r\nContact: <sip:{user}@{from}>\r\nMax-Forwards: 70\r\nUser-Agent: {agent}\r\n\
         Content-Length: 0\r\n\r\n"
    )
}
