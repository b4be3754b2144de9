use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, SystemTime};

/// What a peer answers to OPTIONS.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Says {
    /// Where the request came from, if it is to say something else than what is so.
    pub(crate) received: Option<&'static str>,
    /// How far its clock is ahead.
    pub(crate) seconds_ahead: u64,
}

/// A server that answers OPTIONS over UDP until the test ends.
pub(crate) struct Peer;

impl Peer {
    pub(crate) fn answers(at: SocketAddr, says: Says) -> Self {
        let socket = UdpSocket::bind(at).expect("a port");
        std::thread::spawn(move || {
            let mut buffer = [0; 4_096];
            while let Ok((length, from)) = socket.recv_from(&mut buffer) {
                let request = std::str::from_utf8(&buffer[..length]).expect("a request");
                socket.send_to(answer(request, from, says).as_bytes(), from).expect("an answer is sent");
            }
        });
        Self
    }
}

fn answer(request: &str, from: SocketAddr, says: Says) -> String {
    let line = |name: &str| request.lines().find(|line| line.starts_with(name)).expect("a header line");
    let received = says.received.map_or_else(|| from.ip().to_string(), str::to_owned);
    let via = line("Via:").replace(";rport", &format!(";rport={};received={received}", from.port()));
    let date = httpdate(SystemTime::now() + Duration::from_secs(says.seconds_ahead));
    let same = ["From:", "Call-ID:", "CSeq:"].map(line).join("\r\n");
    format!(
        "SIP/2.0 200 OK\r\n{via}\r\n{same}\r\n{};tag=peer\r\nDate: {date}\r\nContent-Length: 0\r\n\r\n",
        line("To:")
    )
}

/// As date(1) writes it, so that it is not the node's own code that is asked.
fn httpdate(at: SystemTime) -> String {
    let seconds = at.duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs();
    let output = std::process::Command::new("date")
        .env("LC_ALL", "C")
        .args(["-u", "-d", &format!("@{seconds}"), "+%a, %d %b %Y %H:%M:%S GMT"])
        .output()
        .expect("date runs");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
