use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};

/// A loopback network that no other running test uses.
#[derive(Clone, Copy, Debug)]
pub struct Network {
    high: u8,
    low: u8,
}

impl Network {
    /// Chosen by the process id (nextest runs each test in a process of its own) and a count within it.
    pub fn claim() -> Self {
        static CLAIMED: AtomicU32 = AtomicU32::new(0);
        let claimed = CLAIMED.fetch_add(1, Ordering::Relaxed);
        // A step that shares no factor with the 2^14 networks: a process meets each of them once.
        let [_, _, high, low] = std::process::id().wrapping_add(claimed.wrapping_mul(97)).to_be_bytes();
        // 127.64.0.0 and up: nothing of the host itself listens there.
        Self { high: 64 | (high & 63), low }
    }

    /// The `host`-th address.
    pub fn address(self, host: u8) -> Ipv4Addr {
        Ipv4Addr::new(127, self.high, self.low, host)
    }

    /// A port of the `host`-th address.
    pub fn socket(self, host: u8, port: u16) -> SocketAddr {
        SocketAddr::from((self.address(host), port))
    }
}
