//! The command line.

mod accounts;
mod check;
mod client;
mod doctor;
mod fraud;
mod graph;
mod history;
mod invoice;
mod listen;
mod node;
mod output;
mod queues;
mod record;
mod recordings;
mod report;
mod rooms;
mod schema;
mod simulate;
mod staffing;
mod test;
mod trunks;
mod versions;
mod voicemail;
mod webhooks;

use crate::{demo, serve};
use clap::{Args, Parser, Subcommand};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use std::io::IsTerminal;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use store::Filter;
use tracing_subscriber::EnvFilter;

/// Reads the arguments, does what they say, and tells how it went: 0 well, 1 not, 2 wrong arguments.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    // What the node would log of its files, doctor tells by itself.
    let is_quiet = matches!(arguments.command, Command::Doctor { .. });
    log_to_stderr(if is_quiet { "off" } else { "warn,server=info" });
    let done = match arguments.command {
        Command::Serve { config, state } => node::serve(serve::Options { config, state: state.state }),
        Command::Check { paths, json } => check::check(&paths, json),
        Command::Simulate(arguments) => simulate::simulate(arguments),
        Command::Test(arguments) => test::test(&arguments),
        Command::Graph(arguments) => graph::graph(&arguments),
        Command::Schema => schema::schema(),
        Command::Calls { state, json, limit, number, client, since } => {
            let clients = client.into_iter().collect();
            history::calls(&state.state, json, limit, &Filter { since, number, clients, before: None })
        }
        Command::Trace { state, id, json } => history::trace(&state.state, &id, json),
        Command::Demo { keep, state } => demo::run(demo::Options { keep, state }).map_err(Failed::because),
        Command::Status { state, json } => client::status(&state.state, json),
        Command::Accounts { action, state, json } => accounts::accounts(&state.state, action, json),
        Command::Webhooks { again, state, json } => webhooks::webhooks(&state.state, again, json),
        Command::Hangup { contact, state } => client::hang_up(&state.state, contact),
        Command::Disposition { contact, disposition, state } => {
            client::note(&state.state, contact, &disposition)
        }
        Command::Bans { action: Some(Bans::Lift { address }), state, .. } => {
            client::lift_ban(&state.state, address)
        }
        Command::Bans { action: None, state, json } => client::bans(&state.state, json),
        Command::Doctor { config, state, call, number, json } => match call.zip(number) {
            Some((trunk, number)) => doctor::call(&state.state, &trunk, &number, json),
            None => doctor::doctor(&config, &state.state, json),
        },
        Command::Fraud { state, json } => fraud::fraud(&state.state, json),
        Command::Trunks { state, json, since } => trunks::trunks(&state.state, json, since),
        Command::Apply { why, by, state } => versions::apply(&state.state, by, why),
        Command::Rollback { version, why, by, state } => versions::roll_back(&state.state, version, by, why),
        Command::Versions { state, json } => versions::versions(&state.state, json),
        Command::Diff { version, state, json } => versions::diff(&state.state, version, json),
        Command::Agents { action, by, state, json } => queues::agents(&state.state, action, (&by, json)),
        Command::Queues { action: Some(action), by, state, .. } => {
            queues::direct_caller(&state.state, action, &by)
        }
        Command::Queues { state, json, .. } => queues::queues(&state.state, json),
        Command::Why { agent: Some(agent), state, json, .. } => queues::why_agent(&state.state, &agent, json),
        Command::Why { id, state, json, .. } => history::why(&state.state, &id.unwrap_or_default(), json),
        Command::Listen { contact, by, mode, end, state } => {
            let order = match (by, mode) {
                _ if end => listen::Order::End,
                (Some(user), mode) => {
                    listen::Order::Begin { user, mode: mode.unwrap_or(listen::Mode::Listen) }
                }
                (None, mode) => listen::Order::Change(mode.unwrap_or(listen::Mode::Listen)),
            };
            listen::listen(&state.state, contact, order)
        }
        Command::Report { report, state } => report::report(&state.state, report),
        Command::Invoice { invoice, state } => invoice::invoice(&state.state, &invoice),
        Command::Staffing { staffing, state } => staffing::staffing(&state.state, &staffing),
        Command::Voicemail { action: Some(action), by, state, .. } => {
            voicemail::direct(&state.state, action, &by)
        }
        Command::Voicemail { action: None, mailbox, state, json, .. } => {
            voicemail::list(&state.state, mailbox.as_deref(), json)
        }
        Command::Recordings { action: Some(action), by, state, .. } => {
            recordings::direct(&state.state, action, &by)
        }
        Command::Recordings { action: None, which, state, json, .. } => {
            recordings::list(&state.state, &which, json)
        }
        Command::Record { contact, action, state } => record::record(&state.state, contact, action),
        Command::Rooms { action, state, json } => rooms::rooms(&state.state, action, json),
        Command::Transfer { user, to, consult, complete: _, cancel, state } => {
            let step = match to {
                Some(to) => client::Step::Begin { to, consult },
                None if cancel => client::Step::Cancel,
                None => client::Step::Complete,
            };
            client::transfer(&state.state, &user, &step)
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failed) => ExitCode::FAILURE,
    }
}

/// It did not go well, and standard error says why.
#[derive(Debug)]
struct Failed;

impl Failed {
    /// Tells what went wrong.
    fn because(error: impl std::fmt::Display) -> Self {
        eprintln!("ringdown: {error}");
        Self
    }
}

/// Ringdown: a SIP softswitch and IVR for call centres.
#[derive(Parser)]
#[command(name = "ringdown", version, after_help = EXAMPLES, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  ringdown demo                              place a call through a sample node, on this machine alone
  ringdown check                             check ./ringdown.yaml and the clients that it names
  ringdown serve --config ringdown.yaml      run a node; SIGHUP reloads, SIGTERM ends it
  ringdown calls --limit 5                   the last five calls
  ringdown trace 17                          call 17 as a ladder";

#[derive(Subcommand)]
enum Command {
    /// Runs a node: prints `ready` once it serves; SIGHUP reloads, SIGTERM or Ctrl-C ends it
    #[command(
        after_help = "Example:\n  ringdown serve --config /etc/ringdown/ringdown.yaml --state /var/lib/ringdown\n\n\
            Alarms go to standard error; RINGDOWN_LOG=debug makes it say more."
    )]
    Serve {
        /// The node file
        #[arg(long, value_name = "FILE", default_value = "ringdown.yaml")]
        config: PathBuf,
        #[command(flatten)]
        state: State,
    },
    /// Checks node files and client folders, all errors at once; exit status 1 if there is one
    #[command(after_help = "Examples:\n  ringdown check\n  ringdown check dialplans/acme --json")]
    Check {
        /// Node files (their clients are checked with them) or client folders
        #[arg(value_name = "PATH", default_value = "ringdown.yaml")]
        paths: Vec<PathBuf>,
        /// One JSON object: {"ok": BOOL, "diagnostics": [{"path", "line", "column", "message", …}]}
        #[arg(long)]
        json: bool,
    },
    /// Prints the way of a call through its flows, step by step, without a node and without a phone
    #[command(after_help = "Examples:\n  ringdown simulate dialplans/acme +15550100\n  \
                      ringdown simulate dialplans/acme +15550100 --keys 9,1 --answer alice=busy --answer bob=no-answer\n  \
                      ringdown simulate ringdown.yaml +15550100 --at 2026-12-25T10:00 --keys - --json")]
    Simulate(simulate::Arguments),
    /// Runs the tests of client folders, `*.test.yaml`, on a virtual clock; exit status 1 if one fails
    #[command(
        after_help = "Examples:\n  ringdown test\n  ringdown test dialplans/acme --coverage-min 100\n  \
                      ringdown test dialplans/acme --junit report.xml"
    )]
    Test(test::Arguments),
    /// Draws a flow and the flows that it goes to, failure branches dashed
    #[command(
        after_help = "Examples:\n  ringdown graph dialplans/acme main --out main.svg\n  ringdown graph dialplans/acme main --mermaid"
    )]
    Graph(graph::Arguments),
    /// Prints the JSON Schema of a client's files, by which editors complete and mark them
    #[command(after_help = "Example:\n  ringdown schema > client.schema.json")]
    Schema,
    /// Lists calls, the latest first
    #[command(
        after_help = "Examples:\n  ringdown calls --limit 5\n  ringdown calls --number 5550199 --since '2026-11-23 08:00'\n  \
                      ringdown calls --json | jq '.[0]'"
    )]
    Calls {
        #[command(flatten)]
        state: State,
        /// A JSON array of call detail records
        #[arg(long)]
        json: bool,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: u32,
        /// Only calls from or to this number, with or without its country code
        #[arg(long, value_name = "NUMBER")]
        number: Option<String>,
        /// Only calls of this client
        #[arg(long, value_name = "CLIENT")]
        client: Option<String>,
        /// Only calls that began then or later: `YYYY-MM-DD`, also with ` HH:MM`, in UTC
        #[arg(long, value_name = "TIME", value_parser = since)]
        since: Option<Timestamp>,
    },
    /// Shows a call as a ladder: SIP messages, flow steps with file and line, media
    #[command(after_help = "Examples:\n  ringdown trace 17\n  ringdown trace 17 --json")]
    Trace {
        #[command(flatten)]
        state: State,
        /// The ID that `ringdown calls` shows, or a telephone number: its latest call
        #[arg(value_name = "ID")]
        id: String,
        /// A JSON array of the call's events
        #[arg(long)]
        json: bool,
    },
    /// Starts a sample node on loopback, places a call through it and shows what happened
    #[command(
        after_help = "Examples:\n  ringdown demo\n  ringdown demo --keep      then register a phone of your own"
    )]
    Demo {
        /// Leaves the node up afterwards, until Ctrl-C, and prints how to register a phone
        #[arg(long)]
        keep: bool,
        /// Where the node's files go; a new directory under the temporary one if it is not given
        #[arg(long, value_name = "DIR")]
        state: Option<PathBuf>,
    },
    /// Asks a running node for its counts (it needs `http` in its node file)
    #[command(after_help = "Example:\n  ringdown status --json | jq .contacts")]
    Status {
        #[command(flatten)]
        state: State,
        /// A JSON object
        #[arg(long)]
        json: bool,
    },
    /// Lists whom a running node has banned, or lifts a ban (it needs `http` in its node file)
    #[command(after_help = "Examples:\n  ringdown bans\n  ringdown bans lift 192.0.2.7")]
    Bans {
        #[command(subcommand)]
        action: Option<Bans>,
        #[command(flatten)]
        state: State,
        /// A JSON array of bans
        #[arg(long)]
        json: bool,
    },
    /// Shows how each trunk is, and the ASR, NER and post-dial delay of its calls
    #[command(
        after_help = "Examples:\n  ringdown trunks\n  ringdown trunks --since '2026-11-23 08:00' --json\n\n\
            The state needs a running node with `http` in its node file; the figures are of all calls that have ended."
    )]
    Trunks {
        #[command(flatten)]
        state: State,
        /// A JSON array with every cause
        #[arg(long)]
        json: bool,
        /// Calls that began then or later, in UTC; the last 24 hours if it is not given
        #[arg(long, value_name = "TIME", value_parser = since)]
        since: Option<Timestamp>,
    },
    /// Shows what clients and their users have used of their fraud limits (it needs `http` in the node file)
    #[command(after_help = "Example:\n  ringdown fraud --json | jq '.[] | select(.user == null)'")]
    Fraud {
        #[command(flatten)]
        state: State,
        /// A JSON array, a client and each of its users that has used anything
        #[arg(long)]
        json: bool,
    },
    /// Looks at what a node stands on: addresses, ports, certificates, clock, disk, trunks; exit status 1 for a fault
    #[command(after_help = "Examples:\n  ringdown doctor --config /etc/ringdown/ringdown.yaml\n  \
                      ringdown doctor --call carrier --number +34911000100      out by carrier, back in by a number of yours\n\n\
            It needs no running node and disturbs none. Every server of a trunk is asked by OPTIONS. The call is placed\n\
            by the running node, which needs `http` in its node file, and lasts for some seconds.")]
    Doctor {
        /// The node file
        #[arg(long, value_name = "FILE", default_value = "ringdown.yaml")]
        config: PathBuf,
        #[command(flatten)]
        state: State,
        /// Nothing but a call, which the running node places by this trunk
        #[arg(long, value_name = "TRUNK", requires = "number")]
        call: Option<String>,
        /// Whom to call: a number of a client here, by which the call comes back in
        #[arg(long, value_name = "NUMBER", requires = "call")]
        number: Option<String>,
        /// One JSON object: {"ok": BOOL, "findings": [{"area", "level", "what", "advice"}]}
        #[arg(long)]
        json: bool,
    },
    /// Shows who is in which room of a conference, or changes it for one party (it needs `http` in the node file)
    #[command(
        after_help = "Examples:\n  ringdown rooms\n  ringdown rooms mute 17      nobody hears the caller of contact 17\n  \
                      ringdown rooms unmute 17\n  ringdown rooms gain 17 -6   it is 6 dB quieter\n  \
                      ringdown rooms kick 17      it leaves the room; its flow goes on"
    )]
    Rooms {
        #[command(subcommand)]
        action: Option<rooms::Action>,
        #[command(flatten)]
        state: State,
        /// A JSON array of rooms
        #[arg(long)]
        json: bool,
    },
    /// Shows the queues and who waits in them, the next one first, or moves, prioritises or pulls a caller (it needs `http` in
    /// the node file)
    #[command(after_help = "Examples:\n  ringdown queues\n  ringdown queues move 17 sales --by carol\n  \
                      ringdown queues priority 17 10\n  ringdown queues pull 17 carol       carol is rung for it at once")]
    Queues {
        #[command(subcommand)]
        action: Option<queues::CallerAction>,
        /// Who wants it, for the log
        #[arg(long, global = true, value_name = "WHO", default_value = "operator")]
        by: String,
        #[command(flatten)]
        state: State,
        /// A JSON array of queues
        #[arg(long)]
        json: bool,
    },
    /// Shows what each agent does, or has one do something (it needs `http` in the node file)
    #[command(after_help = "Examples:\n  ringdown agents\n  ringdown agents login alice\n  \
                      ringdown agents login a17 --phone 1004      at the phone of the user 1004\n  \
                      ringdown agents pause alice --reason lunch\n  ringdown agents finish alice       its wrap-up is over")]
    Agents {
        #[command(subcommand)]
        action: Option<queues::Action>,
        /// Who wants it, for the log
        #[arg(long, global = true, value_name = "WHO", default_value = "operator")]
        by: String,
        #[command(flatten)]
        state: State,
        /// A JSON array of agents
        #[arg(long)]
        json: bool,
    },
    /// Tells why a call of a queue went to whom it went, why it waits, or why an agent is offered nothing
    #[command(after_help = "Examples:\n  ringdown why 17\n  ringdown why --agent alice")]
    Why {
        /// A contact, as `ringdown calls` or `ringdown queues` shows it, or a number
        #[arg(value_name = "ID", required_unless_present = "agent")]
        id: Option<String>,
        /// An agent (it needs `http` in the node file)
        #[arg(long, conflicts_with = "id")]
        agent: Option<String>,
        #[command(flatten)]
        state: State,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Figures of queues, agents, clients, numbers or trunks, by interval, with their formulas and the contacts behind them
    #[command(
        after_help = "Examples:\n  ringdown report queues                                  today, by the clients' clock\n  \
                      ringdown report queues acme/support --every 30m --sl 90/15 --formula strict\n  \
                      ringdown report agents --from 2026-11-23 --to 2026-11-30 --every 1d --csv\n  \
                      ringdown report queues support --contacts abandoned     the calls behind a figure\n  \
                      ringdown report contact 17                              what happened to one, from when to when\n  \
                      ringdown report queue-log > queue_log                   as Asterisk writes it\n  \
                      ringdown report --explain occupancy"
    )]
    Report {
        #[command(flatten)]
        report: report::Arguments,
        #[command(flatten)]
        state: State,
    },
    /// How many agents a queue needs, by weekday and time: from the arrivals and handle times of a period, by Erlang C and A
    #[command(
        after_help = "Examples:\n  ringdown staffing acme/support --from 2026-11-02 --to 2026-11-30\n  \
                      ringdown staffing support --from 2026-11-23 --every 15m --sl 90/15 --json"
    )]
    Staffing {
        #[command(flatten)]
        staffing: staffing::Arguments,
        #[command(flatten)]
        state: State,
    },
    /// A draft of what a client is to pay for a month, by its `billing`, with the contacts behind each line
    #[command(after_help = "Examples:\n  ringdown invoice acme --month 2026-10\n  \
                      ringdown invoice acme --month 2026-10 --contacts --csv > acme.csv\n  \
                      ringdown invoice acme --month 2026-10 --contacts --pdf acme.pdf")]
    Invoice {
        #[command(flatten)]
        invoice: invoice::Arguments,
        #[command(flatten)]
        state: State,
    },
    /// Pauses or masks the recording of a call, or begins or ends one (it needs `http` in the node file)
    #[command(after_help = "Examples:\n  ringdown record 17 start    records contact 17 from here\n  \
                      ringdown record 17 mask     silence, until\n  ringdown record 17 resume   it goes on")]
    Record {
        /// The contact, as `ringdown calls` and `ringdown trace` have it
        #[arg(value_name = "CALL")]
        contact: u64,
        /// What is done
        #[arg(value_enum)]
        action: record::Action,
        #[command(flatten)]
        state: State,
    },
    /// Lists recordings, writes one to a file, holds or erases them (it needs `http` in the node file)
    #[command(after_help = "Examples:\n  ringdown recordings                       the latest\n  \
                      ringdown recordings --number 911000100    of calls from or to that number\n  \
                      ringdown recordings get 4711              its sound in 4711.wav\n  \
                      ringdown recordings hold 4711 --why \"a claim\"")]
    Recordings {
        #[command(subcommand)]
        action: Option<recordings::Action>,
        #[command(flatten)]
        which: recordings::Which,
        /// Who wants it, for the log
        #[arg(long, global = true, value_name = "WHO", default_value = "operator")]
        by: String,
        #[command(flatten)]
        state: State,
        /// JSON
        #[arg(long)]
        json: bool,
    },
    /// Notes what came of a call, up or over; the last note counts (it needs `http` in the node file)
    #[command(
        after_help = "Example:\n  ringdown disposition 17 sold      as `sales` of the client's `billing` names it"
    )]
    Disposition {
        /// The contact, as `ringdown calls` and `ringdown trace` have it
        #[arg(value_name = "CALL")]
        contact: u64,
        /// A word or some, 64 characters at most
        #[arg(value_name = "DISPOSITION")]
        disposition: String,
        #[command(flatten)]
        state: State,
    },
    /// Lists what callers have left in mailboxes, or does something with a message (it needs `http` in the node file)
    #[command(after_help = "Examples:\n  ringdown voicemail                all messages\n  \
                      ringdown voicemail acme/support   those of one mailbox\n  \
                      ringdown voicemail heard 4711     its lamp goes out\n  ringdown voicemail delete 4711")]
    Voicemail {
        #[command(subcommand)]
        action: Option<voicemail::Action>,
        /// Only of this mailbox, `support` or `acme/support`
        #[arg(value_name = "MAILBOX")]
        mailbox: Option<String>,
        /// Who wants it, for the log
        #[arg(long, global = true, value_name = "WHO", default_value = "operator")]
        by: String,
        #[command(flatten)]
        state: State,
        /// A JSON array of messages
        #[arg(long)]
        json: bool,
    },
    /// Lets a supervisor be with a call: it listens, whispers, barges in or takes over (it needs `http` in the node file)
    #[command(
        after_help = "Examples:\n  ringdown listen 17 --by carol                  rings carol, who hears contact 17\n  \
                      ringdown listen 17 --by carol --mode whisper   the agent alone hears her\n  \
                      ringdown listen 17 --mode barge                both hear her from now on\n  \
                      ringdown listen 17 --mode take-over            the agent is let go, and carol has the call\n  \
                      ringdown listen 17 --end                       she is let go"
    )]
    Listen {
        /// The contact, as `ringdown calls` and `ringdown trace` have it
        #[arg(value_name = "CALL")]
        contact: u64,
        /// The supervisor: a user of the client
        #[arg(long, value_name = "USER", required_unless_present_any = ["mode", "end"])]
        by: Option<String>,
        /// To whom the supervisor speaks; without --by, from now on
        #[arg(long, value_enum)]
        mode: Option<listen::Mode>,
        /// Lets the supervisor go
        #[arg(long, conflicts_with_all = ["by", "mode"])]
        end: bool,
        #[command(flatten)]
        state: State,
    },
    /// Transfers whom a user speaks with (it needs `http` in the node file)
    #[command(
        after_help = "Examples:\n  ringdown transfer alice sales              hands the other party on\n  \
                      ringdown transfer alice bob --consult      alice speaks with bob first\n  \
                      ringdown transfer alice --complete         bob gets the call; so he does when alice hangs up\n  \
                      ringdown transfer alice --cancel           alice takes it back"
    )]
    Transfer {
        /// Whose call
        #[arg(value_name = "USER")]
        user: String,
        /// A number of the user's client, or one of its users
        #[arg(value_name = "TO", required_unless_present_any = ["complete", "cancel"])]
        to: Option<String>,
        /// The user speaks with the target first
        #[arg(long, requires = "to")]
        consult: bool,
        /// Ends the word with the target: it gets the call
        #[arg(long, conflicts_with_all = ["to", "cancel"])]
        complete: bool,
        /// Takes the call back
        #[arg(long, conflicts_with = "to")]
        cancel: bool,
        #[command(flatten)]
        state: State,
    },
    /// Makes a running node read its configuration again; calls that are up are not touched
    #[command(
        visible_alias = "reload",
        after_help = "Example:\n  ringdown diff; ringdown apply --why \"Christmas hours\"\n\nWhat does not check is not applied. SIGHUP does the same."
    )]
    Apply {
        /// What is kept with the version
        #[arg(long, value_name = "TEXT")]
        why: Option<String>,
        /// Who applies it
        #[arg(long, value_name = "NAME", env = "USER")]
        by: Option<String>,
        #[command(flatten)]
        state: State,
    },
    /// Brings the files of an earlier version back and applies them
    #[command(
        after_help = "Examples:\n  ringdown rollback          # to the version before the present one\n  ringdown rollback 7 --why \"callers were lost\"\n\n\
                      The files as they are become a version of their own if they are none yet: nothing is lost."
    )]
    Rollback {
        /// Its number; the one before if it is not named
        #[arg(value_name = "VERSION")]
        version: Option<u64>,
        /// What is kept with the version
        #[arg(long, value_name = "TEXT")]
        why: Option<String>,
        /// Who wants it
        #[arg(long, value_name = "NAME", env = "USER")]
        by: Option<String>,
        #[command(flatten)]
        state: State,
    },
    /// Who may ask the node for what, by HTTP: people with a password, programs with a token
    Accounts {
        #[command(subcommand)]
        action: Option<accounts::Action>,
        #[command(flatten)]
        state: State,
        /// JSON
        #[arg(long, global = true)]
        json: bool,
    },
    /// How clients' servers take what they are told of events
    Webhooks {
        /// What this one has not taken is sent again: `acme/crm`
        #[arg(long, value_name = "CLIENT/WEBHOOK")]
        again: Option<String>,
        #[command(flatten)]
        state: State,
        /// A JSON array of webhooks
        #[arg(long)]
        json: bool,
    },
    /// Hangs a call up
    Hangup {
        /// The number of its contact
        contact: u64,
        #[command(flatten)]
        state: State,
    },
    /// Lists what was applied: when, by whom, why, and which files were new
    Versions {
        #[command(flatten)]
        state: State,
        /// A JSON array of versions
        #[arg(long)]
        json: bool,
    },
    /// Shows what differs between the files as they are and what was applied; exit status 1 if anything does
    #[command(
        after_help = "Examples:\n  ringdown diff\n  ringdown diff 7            # between version 7 and the files as they are"
    )]
    Diff {
        /// The version to compare with; the last that was applied if it is not named
        #[arg(value_name = "VERSION")]
        version: Option<u64>,
        #[command(flatten)]
        state: State,
        /// One JSON object: {"version", "changes": [{"file", "became", "diff"}]}
        #[arg(long)]
        json: bool,
    },
}

#[derive(Subcommand)]
enum Bans {
    /// Lifts the ban of an address, of its 64 bits for IPv6
    Lift {
        /// As `ringdown bans` shows it, without `/64`
        #[arg(value_name = "ADDRESS")]
        address: IpAddr,
    },
}

#[derive(Args)]
struct State {
    /// The node's state directory: event log and recordings
    #[arg(long, global = true, value_name = "DIR", default_value = "state")]
    state: PathBuf,
}

/// A date, a date and time of UTC, or a time stamp with its own offset.
fn since(text: &str) -> Result<Timestamp, String> {
    let utc = || TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok();
    let parsed = text.parse::<Timestamp>().ok().or_else(utc);
    parsed.ok_or_else(|| "no time such as `2026-11-23` or `2026-11-23 08:00`".to_owned())
}

/// What is worth a line by default is rare: start, reload, alarms. RINGDOWN_LOG asks for more.
fn log_to_stderr(usual: &str) {
    let wanted = std::env::var("RINGDOWN_LOG").unwrap_or_else(|_| usual.to_owned());
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(wanted))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_day_a_minute_and_a_time_stamp_are_times() {
        let seconds = |text| since(text).map(|it| it.as_second());
        assert_eq!(seconds("1970-01-02"), Ok(86_400));
        assert_eq!(seconds("1970-01-01 00:01"), Ok(60));
        assert_eq!(seconds("1970-01-01T01:00:00+01:00"), Ok(0));
        assert!(since("yesterday").is_err());
    }
}
