use clock::{Duration, Time};
use std::net::{IpAddr, SocketAddr};

/// So many packets in sequence, of one SSRC from one address, make it worth believing
/// (RFC 3550 A.1). A scanner that sprays ports sends fewer to each.
const PROBATION: u32 = 5;
/// A candidate that is silent for so long makes room for another.
const CANDIDATE_SILENCE: Duration = Duration::from_millis(200);
/// The peer that SDP names can take its stream back from a learnt address so long; after that
/// even forged packets from SDP's address change nothing.
const RECLAIM: Duration = Duration::from_secs(5);

/// Where a peer's packets come from, and so where ours go: symmetric RTP that cannot be stolen.
///
/// The address that SDP names is believed at once. Behind a NAT another one is learnt, by
/// probation, if nothing has come from SDP's; then it stays until SDP names another address. Only
/// a port of SDP's host or of the SIP peer's can be learnt, so that a stranger has to share their NAT.
#[derive(Clone, Debug, Default)]
pub struct Source {
    expected: Option<SocketAddr>,
    signalled: Option<IpAddr>,
    state: State,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Waiting,
    Probation(Candidate),
    /// The address that SDP names.
    Confirmed,
    Learned {
        address: SocketAddr,
        since: Time,
    },
}

#[derive(Clone, Copy, Debug)]
struct Candidate {
    address: SocketAddr,
    ssrc: u32,
    next_sequence: u16,
    in_sequence: u32,
    heard: Time,
}

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the peer's.
    Accept,
    /// It is the peer's, and our packets go to where it comes from, from now on.
    Learned(SocketAddr),
    /// It is a stranger's.
    Foreign,
}

impl Source {
    /// SDP names where the peer receives; `None` names nothing new (hold). `signalled` is the SIP peer's
    /// host; `None` while the peer is to send nothing, and then no address is learnt.
    pub fn expect(&mut self, remote: Option<SocketAddr>, signalled: Option<IpAddr>) {
        self.signalled = signalled;
        if remote.is_some() && remote != self.expected {
            self.expected = remote;
            self.state = State::Waiting;
        }
    }

    /// Judges a packet. Before SDP has named an address all are strangers.
    pub fn accept(&mut self, now: Time, from: SocketAddr, ssrc: u32, sequence: u16) -> Verdict {
        let Some(expected) = self.expected else { return Verdict::Foreign };
        match self.state {
            State::Confirmed if from == expected => Verdict::Accept,
            State::Confirmed => Verdict::Foreign,
            State::Learned { address, .. } if from == address => Verdict::Accept,
            State::Learned { since, .. } if from == expected && now - since < RECLAIM => {
                self.state = State::Confirmed;
                Verdict::Learned(expected)
            }
            State::Learned { .. } => Verdict::Foreign,
            State::Waiting | State::Probation(_) if from == expected => {
                self.state = State::Confirmed;
                Verdict::Accept
            }
            _ if !self.may_be_learnt(from.ip(), expected.ip()) => Verdict::Foreign,
            State::Waiting => {
                self.state = State::Probation(Candidate::new(now, from, ssrc, sequence));
                Verdict::Foreign
            }
            State::Probation(candidate) => self.probe(now, candidate, from, ssrc, sequence),
        }
    }

    /// Where our packets go: to the address that was learnt, else to SDP's.
    pub fn target(&self) -> Option<SocketAddr> {
        match self.state {
            State::Learned { address, .. } => Some(address),
            State::Waiting | State::Probation(_) | State::Confirmed => self.expected,
        }
    }

    /// Where the peer's packets really come from, once that is known.
    pub fn peer(&self) -> Option<SocketAddr> {
        match self.state {
            State::Learned { address, .. } => Some(address),
            State::Confirmed => self.expected,
            State::Waiting | State::Probation(_) => None,
        }
    }

    /// Whether the peer's address is final until SDP names another, so that a socket may be
    /// connected to it.
    pub fn is_settled(&self, now: Time) -> bool {
        match self.state {
            State::Confirmed => true,
            State::Learned { since, .. } => now - since >= RECLAIM,
            State::Waiting | State::Probation(_) => false,
        }
    }

    fn may_be_learnt(&self, host: IpAddr, expected: IpAddr) -> bool {
        self.signalled.is_some_and(|signalled| same_host(host, signalled) || same_host(host, expected))
    }

    fn probe(
        &mut self,
        now: Time,
        candidate: Candidate,
        from: SocketAddr,
        ssrc: u32,
        sequence: u16,
    ) -> Verdict {
        if from != candidate.address {
            // A flood of strangers does not end another's probation; its own silence does.
            if now - candidate.heard >= CANDIDATE_SILENCE {
                self.state = State::Probation(Candidate::new(now, from, ssrc, sequence));
            }
            return Verdict::Foreign;
        }
        if ssrc == candidate.ssrc && sequence == candidate.next_sequence.wrapping_sub(1) {
            // The same once more: UDPTL repeats what is important, and networks do. It says nothing new.
            self.state = State::Probation(Candidate { heard: now, ..candidate });
            return Verdict::Foreign;
        }
        let follows = ssrc == candidate.ssrc && sequence == candidate.next_sequence;
        let in_sequence = if follows { candidate.in_sequence + 1 } else { 1 };
        if in_sequence == PROBATION {
            self.state = State::Learned { address: from, since: now };
            return Verdict::Learned(from);
        }
        let next = Candidate { in_sequence, ..Candidate::new(now, from, ssrc, sequence) };
        self.state = State::Probation(next);
        Verdict::Foreign
    }
}

impl Candidate {
    fn new(now: Time, address: SocketAddr, ssrc: u32, sequence: u16) -> Self {
        Self { address, ssrc, next_sequence: sequence.wrapping_add(1), in_sequence: 1, heard: now }
    }
}

/// One address, or two loopback ones: whoever sends from 127.0.0.1 is the host that also has 127.0.0.2,
/// and the kernel picks between them by itself.
fn same_host(a: IpAddr, b: IpAddr) -> bool {
    a == b || (a.is_loopback() && b.is_loopback())
}
