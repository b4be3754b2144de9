use hickory_resolver::proto::op::Message;
use hickory_resolver::proto::rr::rdata::{A, SRV};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use std::net::{SocketAddr, UdpSocket};

/// Serves a small zone by DNS until the test ends: `NAME A ADDRESS` or `NAME SRV PRIORITY WEIGHT PORT TARGET` a line.
/// Whatever else is asked for is not there.
pub(crate) fn serve(at: SocketAddr, lines: &str) {
    let socket = UdpSocket::bind(at).expect("a port for DNS");
    let zone: Vec<(Name, RData)> =
        lines.lines().map(str::trim).filter(|it| !it.is_empty()).map(read).collect();
    std::thread::spawn(move || {
        let mut buffer = [0; 1_500];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let question = Message::from_vec(&buffer[..length]).expect("a DNS message");
            let bytes = answer(&zone, &question).to_vec().expect("it can be written");
            socket.send_to(&bytes, from).expect("an answer is sent");
        }
    });
}

fn read(line: &str) -> (Name, RData) {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let name = |text: &str| Name::from_ascii(format!("{text}.")).expect("a name");
    let number = |index: usize| fields[index].parse().expect("a number");
    let data = match fields[1] {
        "A" => RData::A(A(fields[2].parse().expect("an address"))),
        "SRV" => RData::SRV(SRV::new(number(2), number(3), number(4), name(fields[5]))),
        other => panic!("{other} is no kind of record here"),
    };
    (name(fields[0]), data)
}

fn answer(zone: &[(Name, RData)], question: &Message) -> Message {
    let mut answer = Message::response(question.id, question.op_code);
    let Some(query) = question.queries.first() else { return answer };
    answer.add_query(query.clone());
    let kind = |data: &RData| match data {
        RData::A(_) => RecordType::A,
        _ => RecordType::SRV,
    };
    let fits = |(name, data): &&(Name, RData)| {
        name.to_lowercase() == query.name().to_lowercase() && kind(data) == query.query_type()
    };
    let records =
        zone.iter().filter(fits).map(|(_, data)| Record::from_rdata(query.name().clone(), 30, data.clone()));
    answer.add_answers(records);
    answer
}
