use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};

/// A loopback network that no other running test uses.
#[derive(Clone, Copy, Debug)]
pub struct Network {
    high: u8,
    low: u8,
}

/// Of the 40 ports of a network at 127.0.0.1, the one that says it is taken.
const CLAIM: u16 = 39;

impl Network {
    /// The first network, from one that the process id gives, that no other process holds.
    ///
    /// It is held by two sockets until this process ends: nobody else can bind them.
    ///
    /// # Panics
    /// When all of them are taken.
    pub fn claim() -> Self {
        static CLAIMED: AtomicU32 = AtomicU32::new(0);
        let free = (0..1 << 14).find_map(|_| {
            let claimed = CLAIMED.fetch_add(1, Ordering::Relaxed);
            // A step that shares no factor with the 2^14 networks: a process meets each of them once.
            let [_, _, high, low] = std::process::id().wrapping_add(claimed.wrapping_mul(97)).to_be_bytes();
            // 127.64.0.0 and up: nothing of the host itself listens there.
            let network = Self { high: 64 | (high & 63), low };
            let here = UdpSocket::bind(network.socket(255, CLAIM)).ok()?;
            let ports = UdpSocket::bind((Ipv4Addr::LOCALHOST, network.port(CLAIM))).ok()?;
            Some((network, [here, ports]))
        });
        let (network, sockets) = free.expect("a loopback network that no other test holds");
        std::mem::forget(sockets);
        network
    }

    /// The `host`-th address.
    pub fn address(self, host: u8) -> Ipv4Addr {
        Ipv4Addr::new(127, self.high, self.low, host)
    }

    /// One of 40 ports of 127.0.0.1 that are this network's: for parties that can be nowhere else.
    pub fn port(self, number: u16) -> u16 {
        5600 + u16::from(self.low % 150) * 40 + number
    }

    /// A port of the `host`-th address.
    pub fn socket(self, host: u8, port: u16) -> SocketAddr {
        SocketAddr::from((self.address(host), port))
    }
}

/// Whether a socket of `table` (`/proc/net/udp`, `/proc/net/tcp`) is bound to `local`.
pub(crate) fn is_bound(table: &str, local: SocketAddr) -> bool {
    let IpAddr::V4(ip) = local.ip() else { return false };
    let wanted = format!("{:08X}:{:04X}", u32::from(reversed(ip)), local.port());
    let sockets = fs::read_to_string(table).unwrap_or_default();
    sockets.lines().any(|line| line.split_whitespace().nth(1) == Some(&wanted))
}

/// The kernel prints addresses as little-endian words.
fn reversed(ip: Ipv4Addr) -> Ipv4Addr {
    let [a, b, c, d] = ip.octets();
    Ipv4Addr::new(d, c, b, a)
}
