//! What the network says of datagrams that it could not deliver (Linux's IP_RECVERR).
//!
//! Without it an unconnected UDP socket never learns that a phone has gone, and a call to it rings until
//! Timer B fires (RFC 3261 18.4 wants the transport's error told to the transaction).

use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt};
use socket2::Socket;
use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::AsRawFd;

/// Asks the system to keep what the network returns for [`next_unreachable`].
///
/// # Errors
/// What the operating system says.
pub(super) fn report_errors(socket: &Socket, address: SocketAddr) -> io::Result<()> {
    match address {
        SocketAddr::V4(_) => setsockopt(socket, sockopt::Ipv4RecvErr, &true)?,
        SocketAddr::V6(_) => setsockopt(socket, sockopt::Ipv6RecvErr, &true)?,
    }
    Ok(())
}

/// Takes the next returned datagram and tells where it was to go, if that place cannot be reached.
///
/// Returns that say something else (a packet too big, which the system will fragment from now on) are
/// taken and skipped; `None` when there are no more.
pub(super) fn next_unreachable(socket: &impl AsRawFd) -> Option<SocketAddr> {
    while let Some((peer, code)) = next_returned(socket) {
        let unreachable = [nix::libc::ECONNREFUSED, nix::libc::EHOSTUNREACH, nix::libc::ENETUNREACH];
        if unreachable.contains(&code) && peer.is_some() {
            return peer;
        }
    }
    None
}

/// The destination and the error number of one returned datagram.
fn next_returned(socket: &impl AsRawFd) -> Option<(Option<SocketAddr>, i32)> {
    let mut payload = [0; 1];
    let mut parts = [IoSliceMut::new(&mut payload)];
    let mut control = nix::cmsg_space!(nix::libc::sock_extended_err, nix::libc::sockaddr_in6);
    let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
    let message =
        recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut parts, Some(&mut control), flags).ok()?;
    let code = message.cmsgs().ok()?.find_map(|part| match part {
        ControlMessageOwned::Ipv4RecvErr(error, _) | ControlMessageOwned::Ipv6RecvErr(error, _) => {
            i32::try_from(error.ee_errno).ok()
        }
        _ => None,
    });
    Some((message.address.as_ref().and_then(socket_address), code.unwrap_or_default()))
}

fn socket_address(address: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = address.as_sockaddr_in().map(|v4| SocketAddr::V4(SocketAddrV4::from(*v4)));
    v4.or_else(|| address.as_sockaddr_in6().map(|v6| SocketAddr::V6(SocketAddrV6::from(*v6))))
}
