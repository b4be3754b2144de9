//! What this machine has for the node: ports, addresses, open files, disk.

use super::holder;
use super::report::Finding;
use crate::serve::is_public;
use dialplan::{Limits, Listen, Node, Rtp, Transport};
use nix::ifaddrs::getifaddrs;
use nix::sys::resource::{Resource, getrlimit};
use nix::sys::statvfs::statvfs;
use nix::unistd::{AccessFlags, access};
use std::collections::HashSet;
use std::io::ErrorKind;
use std::net::{IpAddr, TcpListener, UdpSocket};
use std::path::Path;

/// What a call with a recording writes: two channels of 16 bits, 8000 times a second.
const RECORDING_BYTES_A_SECOND: u64 = 32_000;
/// Less than that is soon gone.
const LITTLE_ROOM: u64 = 1 << 30;
/// Nothing can be written beyond that for long.
const NO_ROOM: u64 = 100 << 20;
/// Open files of a node besides its calls: connections of phones, ports kept ready, the store.
const OTHER_FILES: u64 = 9_000;

/// Looks at all of them. `is_running`: whether a node runs on this state directory.
pub(super) fn check(node: &Node, state: &Path, is_running: bool) -> Vec<Finding> {
    let mut found: Vec<_> = node.listen.iter().map(|listen| port(listen, is_running)).collect();
    found.push(rtp_room(&node.rtp, &node.limits));
    let ours = own_addresses();
    found.extend(node.listen.iter().map(|listen| listener(listen, &ours)));
    found.push(media(&node.rtp, &ours));
    found.push(open_files(&node.rtp, &node.limits));
    found.push(disk("state directory", state));
    let recordings = state.join(&node.recordings.folder);
    if is_another_disk(state, &recordings) {
        found.push(disk("recordings", &recordings));
    }
    found
}

/// Whether a listener's port can be had, or is the running node's.
fn port(listen: &Listen, is_running: bool) -> Finding {
    const AREA: &str = "ports";
    let (name, address) = (listen.transport.name(), listen.address);
    let is_udp = listen.transport == Transport::Udp;
    let bound =
        if is_udp { UdpSocket::bind(address).map(drop) } else { TcpListener::bind(address).map(drop) };
    let place = format!("{name} {address}");
    match bound.map_err(|error| (error.kind(), error)) {
        Ok(()) if is_running => Finding::warning(
            AREA,
            format!("{place} is free, although a node runs here"),
            "a listener that is new in the node file takes a restart",
        ),
        Ok(()) => Finding::ok(AREA, format!("{place} is free")),
        Err((ErrorKind::AddrInUse, _)) => match holder::of(address, is_udp) {
            Some(program) if program.is_ringdown() => {
                Finding::ok(AREA, format!("{place} is held by {program}"))
            }
            None if is_running => Finding::ok(AREA, format!("{place} is held, by the node that runs here")),
            Some(program) => {
                Finding::fault(AREA, format!("{place} is held by {program}"), "end it, or listen elsewhere")
            }
            None => Finding::fault(
                AREA,
                format!("{place} is held by another program"),
                format!("`ss -lpn 'sport = :{}'` as root shows which one", address.port()),
            ),
        },
        Err((ErrorKind::AddrNotAvailable, _)) => Finding::fault(
            AREA,
            format!("{place}: this machine has no such address"),
            "listen on an address that `ip address` shows, and advertise the one that others reach",
        ),
        Err((ErrorKind::PermissionDenied, _)) => Finding::fault(
            AREA,
            format!("{place} is not for this user"),
            "ports below 1024 take root, or AmbientCapabilities=CAP_NET_BIND_SERVICE in the unit of systemd",
        ),
        Err((_, error)) => Finding::fault(AREA, format!("{place}: {error}"), "listen elsewhere"),
    }
}

/// The addresses of this machine; none where the system does not say.
fn own_addresses() -> HashSet<IpAddr> {
    let Ok(interfaces) = getifaddrs() else { return HashSet::new() };
    let addresses = interfaces.filter_map(|it| {
        let address = it.address?;
        let v4 = address.as_sockaddr_in().map(|v4| IpAddr::from(v4.ip()));
        v4.or_else(|| Some(address.as_sockaddr_in6()?.ip().into()))
    });
    addresses.collect()
}

/// Whether an address is this machine's; all of 127.0.0.0/8 is.
fn is_own(address: IpAddr, ours: &HashSet<IpAddr>) -> bool {
    address.is_loopback() || ours.contains(&address)
}

fn listener(listen: &Listen, ours: &HashSet<IpAddr>) -> Finding {
    let advertised = listen.advertise.unwrap_or(listen.address);
    let subject = format!("{} {} tells others {advertised}", listen.transport.name(), listen.address);
    whose(&subject, advertised.ip(), ours)
}

fn media(rtp: &Rtp, ours: &HashSet<IpAddr>) -> Finding {
    let advertised = rtp.advertise.unwrap_or(rtp.address);
    if !rtp.address.is_unspecified() && !is_own(rtp.address, ours) {
        return Finding::fault(
            "address",
            format!("media is to be served at {}, which this machine does not have", rtp.address),
            "write an `address` of `rtp` that `ip address` shows, and `advertise` the one that others reach",
        );
    }
    whose(&format!("media {} tells others {advertised}", rtp.address), advertised, ours)
}

/// Judges an advertised address by itself; what trunks say of it comes later.
fn whose(subject: &str, advertised: IpAddr, ours: &HashSet<IpAddr>) -> Finding {
    if is_own(advertised, ours) {
        Finding::ok("address", format!("{subject}, an address of this machine"))
    } else if is_public(advertised) {
        Finding::ok("address", format!("{subject}, which a NAT must lead here"))
    } else {
        Finding::warning(
            "address",
            format!("{subject}, which is private and not this machine's"),
            "advertise the address that phones and carriers reach",
        )
    }
}

/// A call takes two ports: the caller's and that of whom it reaches.
fn rtp_room(rtp: &Rtp, limits: &Limits) -> Finding {
    let calls = u32::try_from(rtp.ports.len() / 4).unwrap_or(u32::MAX);
    let (from, to) = (rtp.ports.start(), rtp.ports.end());
    let what = format!("rtp {from}-{to} has room for {calls} calls at once");
    if calls < limits.calls && limits.calls != Limits::default().calls {
        let most = limits.calls;
        let advice =
            format!("{} ports are needed for {most}, or a lower `limits.calls`", u64::from(most) * 4);
        return Finding::warning("ports", format!("{what}, and `limits.calls` is {most}"), advice);
    }
    Finding::ok("ports", what)
}

/// `serve` raises the soft limit to the hard one.
fn open_files(rtp: &Rtp, limits: &Limits) -> Finding {
    const AREA: &str = "files";
    let ports = u64::try_from(rtp.ports.len() / 2).unwrap_or(u64::MAX);
    // Each call may be recorded.
    let calls = u64::from(limits.calls).min(ports / 2);
    let wanted = calls * 3 + OTHER_FILES;
    match getrlimit(Resource::RLIMIT_NOFILE) {
        Ok((_, hard)) if hard < wanted => Finding::warning(
            AREA,
            format!("{hard} open files are allowed here, and {calls} calls may take {wanted}"),
            format!("write LimitNOFILE={wanted} in the unit of systemd, or raise `ulimit -Hn`"),
        ),
        Ok((_, hard)) => {
            Finding::ok(AREA, format!("{hard} open files are allowed here; {wanted} are enough"))
        }
        Err(error) => Finding::warning(AREA, format!("the limit on open files: {error}"), "see `ulimit -Hn`"),
    }
}

/// The folder itself, or the one in which it will be made.
fn there(folder: &Path) -> &Path {
    let mut ancestors = folder.ancestors().filter(|it| it.exists());
    ancestors.next().unwrap_or(Path::new("."))
}

fn is_another_disk(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let device = |folder: &Path| there(folder).metadata().ok().map(|it| it.dev());
    device(one) != device(other)
}

fn disk(what: &str, folder: &Path) -> Finding {
    const AREA: &str = "disk";
    let place = there(folder);
    let subject = format!("{what} {}", folder.display());
    if let Err(error) = access(place, AccessFlags::W_OK | AccessFlags::X_OK) {
        let what = format!("{subject} cannot be written by this user: {error}");
        return Finding::fault(AREA, what, "give it to the user that the node runs as");
    }
    match statvfs(place) {
        Ok(disk) => {
            let bytes = |blocks: u64| blocks.saturating_mul(disk.fragment_size());
            room(&subject, bytes(disk.blocks_available()), bytes(disk.blocks()))
        }
        Err(error) => Finding::warning(AREA, format!("{subject}: {error}"), "see `df`"),
    }
}

/// Judges what is left.
fn room(subject: &str, left: u64, whole: u64) -> Finding {
    let hours = left / RECORDING_BYTES_A_SECOND / 3_600;
    let what = format!("{subject} has {} left, {hours} hours of recordings", size(left));
    let advice = "remove old recordings, or give it a larger disk";
    if left < NO_ROOM {
        Finding::fault("disk", what, advice)
    } else if left < LITTLE_ROOM || left < whole / 20 {
        Finding::warning("disk", what, advice)
    } else {
        Finding::ok("disk", what)
    }
}

/// `51.2 GiB`, `70 MiB`.
fn size(bytes: u64) -> String {
    const GIB: u64 = 1 << 30;
    if bytes >= GIB {
        format!("{}.{} GiB", bytes / GIB, bytes % GIB * 10 / GIB)
    } else {
        format!("{} MiB", bytes >> 20)
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::Level;
    use super::*;

    #[test]
    fn an_advertised_address_is_the_machines_or_public_or_suspect() {
        let ours = HashSet::from([IpAddr::from([10, 0, 0, 5])]);
        for (address, level) in [
            ([10, 0, 0, 5], Level::Ok),
            ([127, 0, 0, 9], Level::Ok),
            ([9, 9, 9, 9], Level::Ok),
            ([10, 0, 0, 6], Level::Warning),
        ] {
            assert_eq!(whose("it", address.into(), &ours).level, level, "{address:?}");
        }
    }

    #[test]
    fn media_is_served_at_an_address_of_the_machine() {
        let rtp = |address: [u8; 4]| Rtp {
            ports: 30_000..=30_999,
            address: address.into(),
            advertise: Some([9, 9, 9, 9].into()),
            threads: None,
            codecs: [].into(),
        };
        let ours = HashSet::from([IpAddr::from([10, 0, 0, 5])]);
        for (address, level) in
            [([10, 0, 0, 5], Level::Ok), ([0, 0, 0, 0], Level::Ok), ([10, 0, 0, 6], Level::Fault)]
        {
            assert_eq!(media(&rtp(address), &ours).level, level, "{address:?}");
        }
    }

    #[test]
    fn ports_are_counted_against_the_limit_that_is_written() {
        let rtp = Rtp {
            ports: 30_000..=30_999,
            address: [127, 0, 0, 1].into(),
            advertise: None,
            threads: None,
            codecs: [].into(),
        };
        for (calls, level) in [(Limits::default().calls, Level::Ok), (250, Level::Ok), (251, Level::Warning)]
        {
            let limits = Limits { calls, ..Limits::default() };
            assert_eq!(rtp_room(&rtp, &limits).level, level, "{calls}");
        }
    }

    #[test]
    fn a_disk_that_is_nearly_full_is_told_in_time() {
        const GIB: u64 = 1 << 30;
        for (left, level) in [
            (10 * GIB, Level::Ok),
            (4 * GIB, Level::Warning),
            (GIB / 2, Level::Warning),
            (GIB / 20, Level::Fault),
        ] {
            assert_eq!(room("it", left, 100 * GIB).level, level, "{left}");
        }
        assert_eq!(size(GIB * 5 / 2), "2.5 GiB");
        assert_eq!(size(GIB / 2), "512 MiB");
    }

    #[test]
    fn a_folder_that_is_to_be_made_is_judged_by_the_one_that_is_there() {
        let home = tempfile::tempdir().expect("a directory");
        assert_eq!(there(&home.path().join("a/b")), home.path());
        assert_eq!(disk("it", &home.path().join("a")).area, "disk");
    }
}
