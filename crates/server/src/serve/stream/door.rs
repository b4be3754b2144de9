//! Who is let in: so many connections in all, and so many of one source.

use dialplan::StreamLimits;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// All listeners have one.
pub(super) struct Door {
    limits: StreamLimits,
    inside: Mutex<Inside>,
}

#[derive(Default)]
struct Inside {
    all: u32,
    /// Kept only where there is a limit.
    by_source: HashMap<IpAddr, u32>,
}

/// A connection that was let in; its place is free when this is dropped.
pub(super) struct Guest {
    door: Arc<Door>,
    source: IpAddr,
}

impl Door {
    pub(super) fn new(limits: StreamLimits) -> Self {
        Self { limits, inside: Mutex::default() }
    }

    /// Lets a connection in, if there is room for it.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Guest> {
        let source = source_of(address);
        let mut inside = self.inside();
        if inside.all >= self.limits.connections {
            return None;
        }
        if let Some(most) = self.limits.per_source {
            let of_source = inside.by_source.entry(source).or_default();
            if *of_source >= most {
                return None;
            }
            *of_source += 1;
        }
        inside.all += 1;
        Some(Guest { door: Arc::clone(self), source })
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        // Nothing that is done under the lock can panic half-way.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut inside = self.door.inside();
        inside.all -= 1;
        if let Some(of_source) = inside.by_source.get_mut(&self.source) {
            *of_source -= 1;
            if *of_source == 0 {
                inside.by_source.remove(&self.source);
            }
        }
    }
}

/// An IPv4 address, or the network of 64 bits that one customer has.
fn source_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).into(),
        ip => ip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn door(per_source: Option<u32>, connections: u32) -> Arc<Door> {
        Arc::new(Door::new(StreamLimits { per_source, connections, ..StreamLimits::default() }))
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_source_has_so_many_and_an_ipv6_network_is_one() {
        let door = door(Some(2), 10);
        for (first, second) in [("192.0.2.1", "::ffff:192.0.2.1"), ("2001:db8::1", "2001:db8::ffff:0:0:1")] {
            let guests = [first, second].map(|it| door.admit(ip(it)).expect("room"));
            assert!(door.admit(ip(first)).is_none());
            drop(guests);
            assert!(door.admit(ip(first)).is_some(), "their places are free again");
        }
        assert!(door.inside().by_source.is_empty(), "nobody who has left is remembered");
    }

    #[test]
    fn there_are_so_many_in_all() {
        let door = door(None, 2);
        let guests = ["192.0.2.1", "192.0.2.1"].map(|it| door.admit(ip(it)).expect("room"));
        assert!(door.admit(ip("192.0.2.2")).is_none());
        drop(guests);
        assert_eq!(door.inside().all, 0);
    }
}
