//! Which program holds a port, as /proc tells (proc_net(5), proc_pid_fd(5)).

use std::fmt;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// A program that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Program {
    name: String,
    id: u32,
}

impl Program {
    /// Whether it is one of us.
    pub(super) fn is_ringdown(&self) -> bool {
        self.name == "ringdown"
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (process {})", self.name, self.id)
    }
}

/// Who holds a port; `None` where that cannot be seen: other users' processes take root to look into.
pub(super) fn of(address: SocketAddr, is_udp: bool) -> Option<Program> {
    let (kind, listening) = if is_udp { ("udp", "07") } else { ("tcp", "0A") };
    let tables = [kind.to_owned(), format!("{kind}6")];
    let rows: String =
        tables.iter().filter_map(|it| fs::read_to_string(format!("/proc/net/{it}")).ok()).collect();
    let inodes: Vec<_> = rows.lines().filter_map(|row| inode(row, listening, address)).collect();
    inodes.iter().find_map(|inode| owner(inode))
}

/// The inode of a row of /proc/net, if it is of a socket in this state that stands in the way of this address.
fn inode<'r>(row: &'r str, state: &str, wanted: SocketAddr) -> Option<&'r str> {
    let fields: Vec<_> = row.split_whitespace().collect();
    let (place, port) = fields.get(1)?.split_once(':')?;
    let held = address(place)?;
    let same_port = u16::from_str_radix(port, 16).ok()? == wanted.port();
    let same_place = held == wanted.ip() || held.is_unspecified() || wanted.ip().is_unspecified();
    (same_port && same_place && *fields.get(3)? == state).then_some(*fields.get(9)?)
}

/// An address as words of 32 bits, each as the machine has it in memory.
fn address(hex: &str) -> Option<IpAddr> {
    let word = |at: usize| Some(u32::from_str_radix(hex.get(at..at + 8)?, 16).ok()?.to_ne_bytes());
    if hex.len() == 8 {
        return Some(Ipv4Addr::from(word(0)?).into());
    }
    let words = [word(0)?, word(8)?, word(16)?, word(24)?].concat();
    Some(Ipv6Addr::from(<[u8; 16]>::try_from(words).ok()?).to_canonical())
}

fn owner(inode: &str) -> Option<Program> {
    let socket = format!("socket:[{inode}]");
    fs::read_dir("/proc").ok()?.flatten().find_map(|process| {
        let id = process.file_name().to_str()?.parse().ok()?;
        let mut open = fs::read_dir(process.path().join("fd")).ok()?.flatten();
        open.find(|file| fs::read_link(file.path()).is_ok_and(|to| to.as_os_str() == socket.as_str()))?;
        let name = fs::read_to_string(process.path().join("comm")).ok()?.trim().to_owned();
        Some(Program { name, id })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, UdpSocket};

    #[test]
    fn who_holds_a_port_is_found_and_a_free_one_is_nobodys() {
        for host in ["127.0.0.1", "[::1]"] {
            let udp = UdpSocket::bind(format!("{host}:0")).expect("bound");
            let tcp = TcpListener::bind(format!("{host}:0")).expect("bound");
            let places =
                [(udp.local_addr().expect("bound"), true), (tcp.local_addr().expect("bound"), false)];
            for (address, is_udp) in places {
                let holder = of(address, is_udp).expect("this test");
                assert_eq!(holder.id, std::process::id());
                assert!(!holder.is_ringdown());
            }
            drop((udp, tcp));
            for (address, is_udp) in places {
                assert_eq!(of(address, is_udp), None);
            }
        }
    }
}
