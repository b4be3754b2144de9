//! Who takes part, and where each is.

use crate::dice::Dice;
use crate::phone::{CallScript, Phone};
use crate::plan;
use clock::{Duration, Time};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use sip::Transport;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

pub(super) const SWITCH: SocketAddr = address([10, 0, 0, 1]);

/// A phone of the world: name, password, place.
type Place = (&'static str, Option<&'static str>, [u8; 4]);

const PLACES: [Place; 12] = [
    ("carrier", None, [10, 0, 1, 1]),
    ("pbx", None, [10, 0, 1, 2]),
    // Where the switch registers.
    ("uplink", None, [10, 0, 1, 3]),
    ("alice", Some("pw-alice"), [10, 0, 2, 1]),
    // The second phone of the same user.
    ("alice", Some("pw-alice"), [10, 0, 2, 2]),
    ("bob", Some("pw-bob"), [10, 0, 2, 3]),
    ("carol", Some("pw-carol"), [10, 0, 2, 4]),
    // Whom keys can dial.
    ("20", Some("pw-20"), [10, 0, 2, 6]),
    // A user of another client, who places no calls.
    ("dave", Some("pw-dave"), [10, 0, 2, 5]),
    ("desk", None, [10, 0, 3, 1]),
    // Nobody whom the plan knows.
    ("mallory", Some("guess"), [10, 0, 9, 9]),
    // A known name and a wrong password.
    ("alice", Some("guess"), [10, 0, 9, 8]),
];

/// Draws the phones of a seed and all that they will do.
pub(super) fn phones(rng: &mut ChaCha12Rng) -> Vec<Phone> {
    // In some seeds there are more callers than room.
    let rush = if rng.chance(50) { 6 } else { 1 };
    // In others, users transfer whatever they get.
    let storm = rng.chance(500);
    PLACES
        .iter()
        .map(|&(name, password, ip)| {
            let is_trunk = matches!(name, "carrier" | "pbx" | "uplink");
            let transport =
                if password.is_some() && rng.chance(250) { Transport::Tcp } else { Transport::Udp };
            // No draw for this: some of those are pages in a browser.
            let is_page = transport == Transport::Tcp && matches!(name, "alice" | "carol");
            let transport = if is_page { Transport::Ws } else { transport };
            let mut phone = Phone::new(name, password, address(ip), SWITCH, transport, fork(rng));
            let calls = match name {
                _ if is_trunk => 1 + rng.below(6),
                "dave" | "20" => 0,
                _ => rng.below(8).saturating_sub(5),
            };
            phone.will_call((0..calls * rush).map(|_| CallScript::draw(rng, plan::NUMBERS)).collect());
            if name == "uplink" {
                phone.will_take_registrations("5551", "pw \"5551\"");
            }
            if name == "pbx" && rng.chance(400) {
                let from = Time::from_secs(10) + rng.within(Duration::from_secs(40));
                phone.will_sleep(from, Duration::from_secs(5) + rng.within(Duration::from_secs(50)));
            }
            if password.is_some() && rng.chance(850) {
                phone.will_register();
            }
            if storm && password.is_some() {
                phone.will_storm();
            }
            if rng.chance(200) {
                phone.will_prank();
            }
            if rng.chance(if password.is_some() { 600 } else { 100 }) {
                phone.will_watch();
            }
            phone
        })
        .collect()
}

/// A random source of its own for a part of the world.
pub(super) fn fork(rng: &mut ChaCha12Rng) -> ChaCha12Rng {
    ChaCha12Rng::seed_from_u64(rng.next_u64())
}

const fn address(ip: [u8; 4]) -> SocketAddr {
    let [a, b, c, d] = ip;
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(a, b, c, d)), 5060)
}
