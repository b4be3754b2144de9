//! `simulate`: the way of a call through its flows, without a node and without a phone.

use super::Failed;
use super::output::print;
use crate::load::{self, Sounds};
use clap::Args;
use clock::Duration;
use dialplan::{
    Answer, ClientIndex, Config, Path, Pause, Press, Reply, Script, SimulatedCall, Simulation, Texts, Verstat,
};
use jiff::Timestamp;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Args)]
pub(super) struct Arguments {
    /// A client's folder, or a node file
    #[arg(value_name = "PATH")]
    path: PathBuf,
    /// What is dialled
    #[arg(value_name = "NUMBER")]
    number: String,
    /// The caller's number
    #[arg(long, value_name = "NUMBER", default_value = "+15550199")]
    from: String,
    /// The trunk or user that calls
    #[arg(long, value_name = "NAME", default_value = "simulated")]
    source: String,
    /// When: `2026-12-25T10:00` in the zone of the client's first calendar, or with an offset; now if it is not given
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// What is pressed each time that the flow wants keys: `1,1234#,-,hangup`, `-` for nothing; asked for on a terminal
    #[arg(long, value_name = "KEYS", value_delimiter = ',')]
    keys: Option<Vec<Press>>,
    /// What becomes of a target: busy, no-answer, failed:503, answered:30s; of a room: full, ended:30s; of a queue: full,
    /// no_agents, timeout, answered:30s; of `agent`: refused; of `voicemail`: left:10s, too_short, full, failed:500; of `mailbox`:
    /// messages:3, refused. Several of one target are taken in turn
    #[arg(long, value_name = "TARGET=ANSWER", value_parser = answer)]
    answer: Vec<(String, Answer)>,
    /// What servers answer to `http`, in turn: 200, `200:{"status":"sent"}`, 404, timeout, failed; the last one stays
    #[arg(long, value_name = "REPLY")]
    http: Vec<Reply>,
    /// What flows remember, `visits/+34600111222=3`
    #[arg(long, value_name = "KEY=VALUE", value_parser = value)]
    value: Vec<(String, String)>,
    /// A prompt that cannot be played
    #[arg(long, value_name = "PROMPT")]
    broken: Vec<String>,
    /// After how many seconds the caller hangs up
    #[arg(long, value_name = "SECONDS")]
    hangs_up: Option<u64>,
    /// By which number `percent` draws its lots
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    seed: u64,
    /// A JSON object with every step
    #[arg(long)]
    json: bool,
}

fn answer(text: &str) -> Result<(String, Answer), String> {
    let (target, answer) = text.rsplit_once('=').ok_or("write it like alice=busy")?;
    Ok((target.to_owned(), answer.parse()?))
}

fn value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.rsplit_once('=').ok_or("write it like visits/+34600111222=3")?;
    Ok((key.to_owned(), value.to_owned()))
}

pub(super) fn simulate(arguments: Arguments) -> Result<(), Failed> {
    let config = Arc::new(load::load_path(&arguments.path).map_err(|error| {
        eprintln!("{error}");
        Failed
    })?);
    let (client, flow) =
        dialplan::called(&config, &arguments.number, &arguments.source).map_err(Failed::because)?;
    let at = match &arguments.at {
        Some(text) => dialplan::moment_of(&config, client, text).map_err(Failed::because)?,
        None => Timestamp::now().as_microsecond(),
    };
    let call = SimulatedCall {
        number: arguments.number,
        from: arguments.from,
        source: arguments.source,
        diverted_by: String::new(),
        verstat: Verstat::None,
        attestation: None,
        at,
        seed: arguments.seed,
    };
    let mut answers: BTreeMap<String, Vec<Answer>> = BTreeMap::new();
    for (target, answer) in arguments.answer {
        answers.entry(target).or_default().push(answer);
    }
    let script = Script {
        answers,
        values: arguments.value.into_iter().collect(),
        replies: arguments.http,
        broken: BTreeSet::from_iter(arguments.broken),
        recording_breaks: None,
        hangs_up: arguments.hangs_up.map(Duration::from_secs),
    };
    let sounds = Sounds::default();
    let length = |path: &str| sounds.length(path);
    let simulation = Simulation::new(&config, (client, flow), &call, script, &length);
    let texts = texts(&arguments.path, &config, client);
    match arguments.keys {
        None if std::io::stdin().is_terminal() && !arguments.json => interactive(simulation, &texts),
        keys => {
            let path = simulation.run(&keys.unwrap_or_default());
            if arguments.json {
                let client = &config.client(client).id;
                let object =
                    json!({"client": client, "number": call.number, "from": call.from, "path": path});
                return print(&format!("{object:#}\n"));
            }
            print(&text(&path, &texts))
        }
    }
}

/// What the prompts of a call's client say; nothing where no file tells it.
fn texts(path: &std::path::Path, config: &Config, client: ClientIndex) -> Texts {
    let folders = load::client_folders(path).unwrap_or_default();
    let of = |folder: &&PathBuf| load::folder_name(folder) == *config.client(client).id;
    folders.iter().find(of).and_then(|folder| load::prompt_texts(folder)).unwrap_or_default()
}

fn text(path: &Path, texts: &Texts) -> String {
    let width = width(path);
    let lines = path.lines.iter().map(|line| line.text(width, texts) + "\n");
    lines.chain([path.end() + "\n"]).collect()
}

fn width(path: &Path) -> usize {
    path.lines.iter().map(|line| line.place().chars().count()).max().unwrap_or_default()
}

/// Prints the way as it goes, and asks for keys whenever the flow does.
fn interactive(mut simulation: Simulation<'_>, texts: &Texts) -> Result<(), Failed> {
    print(
        "Keys are asked for as the flow wants them: 0-9, * and #; Enter for nothing, hangup to end the call\n",
    )?;
    let mut told = (0, 0);
    while simulation.advance() == Pause::Keys {
        tell(simulation.path(), &mut told, texts)?;
        simulation.press(&ask()?);
    }
    tell(simulation.path(), &mut told, texts)?;
    print(&(simulation.path().end() + "\n"))
}

fn ask() -> Result<Press, Failed> {
    let mut input = std::io::stdin().lock();
    loop {
        print("keys> ")?;
        let mut line = String::new();
        let read = input.read_line(&mut line).map_err(Failed::because)?;
        if read == 0 {
            return Ok(Press::HangUp);
        }
        match line.trim().parse() {
            Ok(press) => return Ok(press),
            Err(error) => {
                // The next line asks again.
                let _ = writeln!(std::io::stderr(), "{error}");
            }
        }
    }
}

/// Prints what has come since lines and notes of the last of them were `told`.
fn tell(path: &Path, told: &mut (usize, usize), texts: &Texts) -> Result<(), Failed> {
    let width = width(path);
    let (lines, notes) = *told;
    let mut text = String::new();
    if let Some(last) = lines.checked_sub(1).and_then(|last| path.lines.get(last)) {
        let more = last.notes_from(notes, texts);
        if !more.is_empty() {
            text.push_str(&format!("{:>9}{more}\n", ""));
        }
    }
    for line in path.lines.iter().skip(lines) {
        text.push_str(&line.text(width, texts));
        text.push('\n');
    }
    *told = (path.lines.len(), path.lines.last().map_or(0, |line| line.notes.len()));
    print(&text)
}
