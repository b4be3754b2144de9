//! `status`, `bans`, `transfer` and the call of `doctor`: a running node's HTTP interface from the command line.

use super::Failed;
use super::output::print;
use crate::serve;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

/// When to stop waiting for the node: a reload checks every file and prompt.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// The largest answer that is read.
const MAX_ANSWER: u64 = 16 << 20;

pub(super) fn status(state: &Path, json: bool) -> Result<(), Failed> {
    let answer = get(state, "/status")?;
    if json {
        return print(&format!("{answer:#}\n"));
    }
    let lines = answer.as_object().into_iter().flatten().map(|(name, value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        format!("{:<16} {value}\n", name.replace('_', " "))
    });
    print(&lines.collect::<String>())
}

pub(super) fn bans(state: &Path, json: bool) -> Result<(), Failed> {
    let answer = get(state, "/bans")?;
    if json {
        return print(&format!("{answer:#}\n"));
    }
    let rows: Vec<_> = answer.as_array().into_iter().flatten().collect();
    if rows.is_empty() {
        return print("nobody is banned\n");
    }
    let lines = rows.iter().map(|ban| {
        let text = |name: &str| ban[name].as_str().unwrap_or_default();
        let number = |name: &str| ban[name].as_u64().unwrap_or_default();
        format!(
            "{:<24} {:>7} {:>6} {:>10}  {}\n",
            text("address"),
            format!("{} s", number("seconds_left")),
            number("times"),
            number("dropped"),
            text("reason")
        )
    });
    let head = format!("{:<24} {:>7} {:>6} {:>10}  {}\n", "address", "left", "times", "dropped", "reason");
    print(&(head + &lines.collect::<String>()))
}

/// What the node that runs on a state directory says at `path`.
pub(super) fn get(state: &Path, path: &str) -> Result<Value, Failed> {
    let (status, answer) = request(state, "GET", path, None)?;
    if status == 200 { Ok(answer) } else { Err(Failed::because(fault(&answer))) }
}

/// Whether a node with HTTP runs on a state directory.
pub(super) fn runs(state: &Path) -> bool {
    let answer = serve::http_address(state).map(|address| exchange((state, address), "GET", "/health", None));
    matches!(answer, Some(Ok((200, _))))
}

/// The trunks of the node that runs on a state directory; `None` if none does, or if it serves no HTTP.
pub(super) fn trunks(state: &Path) -> Result<Option<Vec<Value>>, Failed> {
    let Some(address) = serve::http_address(state) else { return Ok(None) };
    // An address that a killed node has left behind.
    let Ok((status, answer)) = exchange((state, address), "GET", "/trunks", None) else { return Ok(None) };
    if status != 200 {
        return Err(Failed::because(fault(&answer)));
    }
    Ok(answer.as_array().cloned())
}

pub(super) fn lift_ban(state: &Path, address: IpAddr) -> Result<(), Failed> {
    let (status, answer) = request(state, "DELETE", &format!("/bans/{address}"), None)?;
    if status != 200 {
        return Err(Failed::because(fault(&answer)));
    }
    print(&format!("the ban of {address} is lifted\n"))
}

pub(super) fn note(state: &Path, contact: u64, disposition: &str) -> Result<(), Failed> {
    let body = json!({"disposition": disposition});
    let (status, answer) = request(state, "PUT", &format!("/calls/{contact}/disposition"), Some(&body))?;
    if status != 200 {
        return Err(Failed::because(fault(&answer)));
    }
    print(&format!("contact {contact}: {disposition}\n"))
}

pub(super) fn hang_up(state: &Path, contact: u64) -> Result<(), Failed> {
    let (status, answer) = request(state, "DELETE", &format!("/calls/{contact}"), None)?;
    if status != 200 {
        return Err(Failed::because(fault(&answer)));
    }
    print(&format!("contact {contact} is hung up\n"))
}

/// What is to be done with the call of a user.
pub(super) enum Step {
    Begin { to: String, consult: bool },
    Complete,
    Cancel,
}

pub(super) fn transfer(state: &Path, user: &str, step: &Step) -> Result<(), Failed> {
    let of_user = format!("/transfers/{}", escaped(user));
    let (method, path, body, done) = match step {
        Step::Begin { to, consult } => {
            let done = if *consult { format!("{user} calls {to} first") } else { format!("to {to}") };
            ("POST", of_user, Some(json!({"to": to, "consult": consult})), done)
        }
        Step::Complete => ("POST", of_user + "/complete", None, "the target gets the call".to_owned()),
        Step::Cancel => ("DELETE", of_user, None, format!("{user} has the call again")),
    };
    let (status, answer) = request(state, method, &path, body.as_ref())?;
    if status != 200 {
        return Err(Failed::because(fault(&answer)));
    }
    print(&format!("contact {}: {done}\n", answer["contact"]))
}

/// Has the node call a number of its own by a trunk: the contact's number; `None` if it is to be asked again.
///
/// # Errors
/// Why there is no call.
pub(super) fn test_call(state: &Path, trunk: &str, number: &str) -> Result<Option<u64>, String> {
    let address = serve::http_address(state)
        .ok_or_else(|| format!("no node with HTTP runs on the state directory {}", state.display()))?;
    let body = json!({"trunk": trunk, "number": number});
    match exchange((state, address), "POST", "/test-calls", Some(&body)) {
        Ok((200, answer)) => Ok(answer["contact"].as_u64()),
        Ok((503, _)) => Ok(None),
        Ok((_, answer)) => Err(fault(&answer)),
        Err(error) => Err(format!("no node answers on http://{address}: {error}")),
    }
}

/// A part of a path: what is not plain in a URL is escaped.
pub(super) fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

pub(super) fn fault(answer: &Value) -> String {
    answer["error"].as_str().map_or_else(|| answer.to_string(), str::to_owned)
}

fn address(state: &Path) -> Result<SocketAddr, Failed> {
    serve::http_address(state).ok_or_else(|| {
        Failed::because(format!(
            "no node with HTTP runs on the state directory {}\n  name the node's own by --state DIR; \
             its node file needs a line like `http: {{listen: 127.0.0.1:8062}}`",
            state.display()
        ))
    })
}

/// One request to the node that runs on a state directory: the HTTP status and the JSON body.
pub(super) fn request(
    state: &Path,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> Result<(u16, Value), Failed> {
    let address = address(state)?;
    exchange((state, address), method, path, body).map_err(|error| silent(address, &error))
}

/// The same of what may take as long as it likes.
pub(super) fn patient_request(
    state: &Path,
    method: &str,
    path: &str,
    body: &Value,
) -> Result<(u16, Value), Failed> {
    let address = address(state)?;
    let answer = send((state, address), method, path, &body.to_string()).and_then(|stream| {
        stream.set_read_timeout(None)?;
        receive(stream)
    });
    answer.map_err(|error| silent(address, &error))
}

fn silent(address: SocketAddr, error: &std::io::Error) -> Failed {
    Failed::because(format!("no node answers on http://{address}: {error}\n  is `ringdown serve` running?"))
}

/// Writes what the node says at `path`, which is no JSON, to a file: how many bytes.
pub(super) fn save(state: &Path, path: &str, output: &Path) -> Result<u64, Failed> {
    let address = address(state)?;
    let broken = |error: std::io::Error| Failed::because(format!("http://{address}{path}: {error}"));
    let mut stream = BufReader::new(send((state, address), "GET", path, "").map_err(broken)?);
    let (mut head, mut length) = (String::new(), None::<u64>);
    while stream.read_line(&mut head).map_err(broken)? > 2 {
        let line = head.lines().last().unwrap_or_default().to_ascii_lowercase();
        length = length.or(line.strip_prefix("content-length:").and_then(|text| text.trim().parse().ok()));
    }
    if !head.starts_with("HTTP/1.1 200 ") {
        let mut body = String::new();
        stream.take(MAX_ANSWER).read_to_string(&mut body).map_err(broken)?;
        return Err(Failed::because(fault(&serde_json::from_str(&body).unwrap_or_default())));
    }
    let unwritten = |error: std::io::Error| Failed::because(format!("{}: {error}", output.display()));
    let mut file = File::create(output).map_err(unwritten)?;
    let copied = std::io::copy(&mut stream, &mut file).map_err(unwritten)?;
    match length {
        Some(length) if length != copied => {
            Err(Failed::because(format!("only {copied} of {length} bytes came; the node's log says why")))
        }
        _ => Ok(copied),
    }
}

fn exchange(
    (state, address): (&Path, SocketAddr),
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> std::io::Result<(u16, Value)> {
    let body = body.map(Value::to_string).unwrap_or_default();
    receive(send((state, address), method, path, &body)?)
}

fn receive(stream: TcpStream) -> std::io::Result<(u16, Value)> {
    let mut answer = String::new();
    stream.take(MAX_ANSWER).read_to_string(&mut answer)?;
    parse(&answer).ok_or_else(|| std::io::Error::other("that is no answer of Ringdown's"))
}

/// Sends one request; its answer ends with the connection.
fn send(
    (state, address): (&Path, SocketAddr),
    method: &str,
    path: &str,
    body: &str,
) -> std::io::Result<TcpStream> {
    let mut stream = TcpStream::connect_timeout(&reachable(address), Duration::from_secs(5))?;
    stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
    let length = body.len();
    let token = serve::http_token(state).unwrap_or_default();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Authorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )?;
    Ok(stream)
}

/// A node that listens everywhere is asked on this machine.
fn reachable(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => ([127, 0, 0, 1], v4.port()).into(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => (std::net::Ipv6Addr::LOCALHOST, v6.port()).into(),
        address => address,
    }
}

/// Status and JSON body of an HTTP/1.1 answer that ends with its connection.
fn parse(answer: &str) -> Option<(u16, Value)> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.1 ")?.split(' ').next()?.parse().ok()?;
    Some((status, serde_json::from_str(body).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_gives_its_status_and_its_json() {
        let answer =
            "HTTP/1.1 422 Unprocessable Entity\r\ncontent-type: application/json\r\n\r\n{\"error\":\"x\"}";
        let (status, body) = parse(answer).expect("an answer");
        assert_eq!((status, fault(&body).as_str()), (422, "x"));
        assert!(parse("SIP/2.0 200 OK\r\n\r\n{}").is_none());
        assert!(parse("HTTP/1.1 200 OK\r\n\r\nnot json").is_none());
    }

    #[test]
    fn a_node_that_listens_everywhere_is_asked_on_loopback() {
        let asked = |address: &str| reachable(address.parse().expect("an address")).to_string();
        assert_eq!(asked("0.0.0.0:8062"), "127.0.0.1:8062");
        assert_eq!(asked("[::]:8062"), "[::1]:8062");
        assert_eq!(asked("10.0.0.1:8062"), "10.0.0.1:8062");
    }
}
