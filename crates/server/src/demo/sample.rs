//! The demo's files and addresses.

use super::DemoError;
use crate::hex::hex;
use crate::phone::{Phone, PhoneConfig};
use crate::{embedded, load, random};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// The number that the sample client answers.
pub(super) const NUMBER: &str = "+15550100";
/// Who calls it.
pub(super) const CALLER: &str = "+15550199";
/// The agents of the sample client.
pub(super) const AGENTS: [&str; 2] = ["alice", "bob"];

/// How many ports the node has for RTP.
const PORTS: u16 = 200;

/// A sample node, ready to be started.
pub(super) struct Sample {
    /// All its files.
    pub(super) home: PathBuf,
    /// The node file.
    pub(super) node_file: PathBuf,
    /// The state directory.
    pub(super) state: PathBuf,
    /// Where it serves SIP.
    pub(super) sip: SocketAddr,
    /// The source of the trunk's calls: another address of this machine, where there is one.
    pub(super) trunk: IpAddr,
    /// The agents' passwords.
    pub(super) passwords: [String; 2],
}

impl Sample {
    /// Writes the sample's files and chooses free ports.
    pub(super) fn prepare(home: Option<PathBuf>) -> Result<Self, DemoError> {
        let home = match home {
            Some(home) => home,
            None => temporary().map_err(DemoError::system("read random numbers"))?,
        };
        let written = || -> io::Result<(PathBuf, SocketAddr, IpAddr)> {
            let client = home.join("dialplans/acme");
            fs::create_dir_all(&client)?;
            embedded::write(embedded::SAMPLE_CLIENT, &client)?;
            let (sip, trunk) = (free_address()?, trunk_address()?);
            let node_file = home.join("ringdown.yaml");
            fs::write(&node_file, node_text(sip, free_address()?, trunk, first_port(random::seed()?)))?;
            Ok((node_file, sip, trunk))
        };
        let (node_file, sip, trunk) =
            written().map_err(|error| DemoError::Files { home: home.clone(), error })?;
        let state = home.join("state");
        let passwords = passwords(&node_file)?;
        Ok(Self { home, node_file, state, sip, trunk, passwords })
    }

    /// The phone of an agent.
    pub(super) fn agent(&self, index: usize) -> Result<Phone, DemoError> {
        Self::phone(PhoneConfig {
            user: AGENTS[index].to_owned(),
            password: Some(self.passwords[index].clone()),
            address: self.sip.ip(),
            server: self.sip,
        })
    }

    /// The phone of the caller, which is the trunk.
    pub(super) fn caller(&self) -> Result<Phone, DemoError> {
        let user = CALLER.to_owned();
        Self::phone(PhoneConfig { user, password: None, address: self.trunk, server: self.sip })
    }

    fn phone(config: PhoneConfig) -> Result<Phone, DemoError> {
        Phone::start(config).map_err(DemoError::system("start a phone"))
    }

    /// One of the sample client's WAVs.
    pub(super) fn wav(&self, name: &str) -> PathBuf {
        self.home.join("dialplans/acme").join(name)
    }
}

fn temporary() -> io::Result<PathBuf> {
    let token = hex(&random::seed()?[..4]);
    Ok(std::env::temp_dir().join(format!("ringdown-demo-{token}")))
}

/// The node file. Few ports and one media thread: it is one call.
fn node_text(sip: SocketAddr, http: SocketAddr, trunk: IpAddr, first_port: u16) -> String {
    let last_port = first_port + PORTS - 1;
    format!(
        "# Written by `ringdown demo`.\n\
         node: {{name: demo}}\n\
         sip:\n  listen: [\"udp:{sip}\", \"tcp:{sip}\"]\n\
         rtp: {{ports: {first_port}-{last_port}, address: {}, threads: 1}}\n\
         http: {{listen: \"{http}\"}}\n\
         trunks:\n  carrier: {{from: [{trunk}/32]}}\n\
         clients: [dialplans/acme]\n",
        sip.ip()
    )
}

/// Where the RTP ports begin: not where another demo has its own.
fn first_port(random: [u8; 32]) -> u16 {
    20_000 + u16::from(random[0] % 50) * PORTS
}

/// A loopback address whose port is free for UDP and TCP.
fn free_address() -> io::Result<SocketAddr> {
    let mut last = io::Error::other("no port is free");
    for _ in 0..20 {
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = tcp.local_addr()?;
        match UdpSocket::bind(address) {
            Ok(_) => return Ok(address),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// All of 127.0.0.0/8 is this machine on Linux: the trunk gets an address that the agents do not have.
fn trunk_address() -> io::Result<IpAddr> {
    let address = Ipv4Addr::new(127, 0, 0, 2);
    UdpSocket::bind((address, 0)).map(|_| address.into())
}

/// The agents' passwords, as the sample client has them.
fn passwords(node_file: &Path) -> Result<[String; 2], DemoError> {
    let plan = load::load_node(node_file, Path::new(load::PROMPTS)).map_err(serve_error)?;
    let password = |name: &str| plan.user(name).map(|user| user.password).unwrap_or_default();
    Ok(AGENTS.map(password))
}

fn serve_error(error: load::LoadError) -> DemoError {
    DemoError::Serve(error.into())
}
