//! From texts to a configuration, or to a report of all that is wrong.

use crate::agents::Agents;
use crate::analysis::analyse;
use crate::callbacks;
use crate::caller_id::Owned;
use crate::client::{self, Sections};
use crate::compile::{Compiled, compile};
use crate::faults::{Faults, Span};
use crate::fields::Fields;
use crate::hours::read_ical;
use crate::mailboxes::{self, Mailbox};
use crate::names::Names;
use crate::number;
use crate::program::{Handlers, Program};
use crate::prompts::Prompts;
use crate::queues::{self, Around, Queue};
use crate::recording::{OfNumbers, Recording};
use crate::table;
use crate::users::Users;
use crate::yaml::{self, Key, Node as Yaml};
use crate::{
    Client, ClientFiles, ClientIndex, Config, FlowIndex, Input, PromptFile, Report, SourceFile, Trunk, node,
};
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// The client folders that a node file names, relative to that file: what the shell reads next.
///
/// # Errors
/// The node file's own faults, when it is too broken to tell.
pub fn node_clients(node: &SourceFile) -> Result<Vec<String>, Report> {
    let mut faults = Faults::new(vec![node]);
    let root = yaml::parse(0, &node.text, &mut faults);
    let folders = root.map_or(Vec::new(), |root| node::folders(&root, &mut faults));
    if faults.len() == 0 {
        Ok(folders.into_iter().map(|(folder, _)| folder).collect())
    } else {
        Err(faults.into_report())
    }
}

/// Parses and cross-checks everything.
///
/// # Errors
/// All faults of all files at once; nothing of a configuration with a fault may be applied.
pub fn load(input: &Input) -> Result<Config, Report> {
    let client_files = input.clients.iter().flat_map(|client| &client.files);
    let mut faults = Faults::new(std::iter::once(&input.node).chain(client_files).collect());
    let ids: Vec<&str> = input.clients.iter().map(|client| client.id.as_str()).collect();
    let root = yaml::parse(0, &input.node.text, &mut faults);
    let node = root.as_ref().and_then(|root| node::read(root, &ids, &mut faults));
    if let Some(root) = &root {
        folders(root, &input.clients, &mut faults);
    }
    prompt_files(input, &mut faults);

    let sections = sections(&input.clients, &mut faults);
    let owned: Vec<_> = sections.iter().map(|sections| Owned::read(sections, &mut faults)).collect();
    let mut users = Users::default();
    for (index, (sections, owned)) in sections.iter().zip(&owned).enumerate() {
        users.read(ClientIndex(index), &sections.users, owned, &mut faults);
    }
    let mut agents = Agents::default();
    for (index, sections) in sections.iter().enumerate() {
        agents.read(ClientIndex(index), &sections.agents, (&users, sections.complete), &mut faults);
    }
    let (mut queues, mut mailboxes) = (Vec::new(), Vec::new());
    let trunks = node.as_ref().map(|node| node.trunks.as_slice());
    let mut numbers = Numbers::default();
    let mut clients = Vec::new();
    for (index, ((files, sections), owned)) in input.clients.iter().zip(sections).zip(owned).enumerate() {
        let scope = Scope {
            index: ClientIndex(index),
            files,
            users: &users,
            agents: &agents,
            trunks,
            owned: &owned,
            input,
        };
        let (program, own_queues, own_mailboxes) = program(&scope, &sections, &mut numbers, &mut faults);
        let record_rules = OfNumbers::read(&sections.numbers, &mut faults);
        queues.extend(own_queues);
        mailboxes.extend(own_mailboxes);
        clients.push(Client {
            id: files.id.as_str().into(),
            name: sections.name.unwrap_or_else(|| files.id.clone()).into(),
            language: sections.language.unwrap_or_else(|| "en".into()).into(),
            zone: sections.zone.unwrap_or(TimeZone::UTC),
            program,
            owned,
            fraud: sections.fraud,
            features: sections.features.unwrap_or_default(),
            media: sections.media.unwrap_or_default(),
            recording: sections.recording.unwrap_or_default(),
            record_rules,
            folder: files.path.as_str().into(),
            web: sections.web,
            secrets: sections.secrets,
            webhooks: sections.webhooks,
            tariff: sections.tariff,
        });
    }
    let system_prompts = input.system_prompts.iter().map(named).collect();
    match node {
        Some(node) if faults.len() == 0 => {
            let Numbers { found: numbers, prefixes, .. } = numbers;
            let agents = agents.all;
            let by_name = agents.iter().enumerate();
            let agents_by_name = by_name.map(|(place, agent)| (Arc::clone(&agent.name), place)).collect();
            let has_record_rules = clients.iter().any(|client| {
                let Recording { calls, asks, .. } = &client.recording;
                calls.is_some() || *asks || !client.record_rules.is_empty()
            }) || queues.iter().any(|queue| queue.record.is_some())
                || agents.iter().any(|agent| agent.record.is_some());
            Ok(Config {
                node,
                clients,
                agents,
                agents_by_name,
                queues,
                mailboxes,
                system_prompts,
                users,
                has_record_rules,
                numbers,
                prefixes,
            })
        }
        _ => Err(faults.into_report()),
    }
}

/// What one client is read with.
struct Scope<'a> {
    index: ClientIndex,
    files: &'a ClientFiles,
    users: &'a Users,
    agents: &'a Agents,
    trunks: Option<&'a [Trunk]>,
    owned: &'a Owned,
    input: &'a Input,
}

/// The numbers of all clients by their digits.
#[derive(Default)]
struct Numbers {
    found: HashMap<String, (ClientIndex, FlowIndex)>,
    prefixes: Vec<(Box<str>, ClientIndex, FlowIndex)>,
    places: HashMap<String, Span>,
}

impl Numbers {
    /// Takes a number, or with `*` what numbers of others begin with.
    fn add(&mut self, client: ClientIndex, key: &Key, flow: Option<FlowIndex>, faults: &mut Faults<'_>) {
        let (place, prefix) = match key.text.strip_suffix('*') {
            None => (number::key(&key.text), None),
            Some(text) => match number::prefix(text) {
                Some(prefix) => (format!("{} {prefix}*", client.0), Some(prefix)),
                None => {
                    let message = format!("`{}` is not the beginning of numbers", key.text);
                    let hint = "write digits before the *, and + instead of 00: \"+34*\", \"+*\" or \"9*\"";
                    return faults.hinted(key.span, message, hint);
                }
            },
        };
        if let Some(first) = self.places.get(&place) {
            return faults.twice(*first, key.span, &format!("the number `{}`", key.text));
        }
        self.places.insert(place.clone(), key.span);
        match (flow, prefix) {
            (None, _) => {}
            (Some(flow), Some(prefix)) => self.prefixes.push((prefix.into(), client, flow)),
            (Some(flow), None) => {
                self.found.insert(place, (client, flow));
            }
        }
    }
}

/// Notes client folders that hold nothing, and names that two folders share.
fn folders(root: &Yaml, clients: &[ClientFiles], faults: &mut Faults<'_>) {
    let mut ids: HashMap<&str, Span> = HashMap::new();
    for ((folder, at), client) in node::folders(root, faults).into_iter().zip(clients) {
        if client.files.is_empty() {
            let hint = "folders are named relative to the node file, and hold *.yaml files";
            faults.hinted(at, format!("there is no client in `{folder}`"), hint);
        }
        match ids.get(client.id.as_str()) {
            Some(first) => faults.twice(*first, at, &format!("the client `{}`", client.id)),
            None => {
                ids.insert(&client.id, at);
            }
        }
    }
}

fn prompt_files(input: &Input, faults: &mut Faults<'_>) {
    let of_clients = input.clients.iter().flat_map(|client| &client.prompts);
    for prompt in input.system_prompts.iter().chain(of_clients) {
        if let Some(error) = &prompt.error {
            faults.file(&prompt.path, error.clone());
        }
    }
}

fn named(prompt: &PromptFile) -> (String, Arc<str>) {
    (prompt.name.clone(), prompt.path.as_str().into())
}

fn sections(clients: &[ClientFiles], faults: &mut Faults<'_>) -> Vec<Sections> {
    // The node file is the first of all files.
    let mut file = 0;
    let mut sections = Vec::new();
    for client in clients {
        let mut roots = Vec::new();
        let (mut icals, mut sheets) = (BTreeMap::new(), table::Sheets::new());
        for source in &client.files {
            file += 1;
            let name = source.path.strip_prefix(&client.path).unwrap_or(&source.path);
            let name = name.trim_start_matches('/').to_owned();
            match source.path.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).as_deref() {
                Some("ics") => {
                    icals.insert(name, read_ical(file, &source.text, faults));
                }
                Some("csv") => {
                    sheets.insert(name, table::read_csv(file, &source.text, faults));
                }
                _ => roots.push(yaml::parse(file, &source.text, faults)),
            }
        }
        sections.push(Sections { icals, sheets, ..client::merge(roots, faults) });
    }
    sections
}

fn program(
    scope: &Scope<'_>,
    sections: &Sections,
    numbers: &mut Numbers,
    faults: &mut Faults<'_>,
) -> (Program, Vec<Queue>, Vec<Mailbox>) {
    let (calendars, calendar_names) = client::calendars(&sections.hours, &sections.icals, faults);
    let folder = format!("{}/prompts", scope.files.path);
    let languages = sections.languages();
    let prompts = Prompts::new(&scope.files.prompts, &scope.input.system_prompts, languages, folder);
    let calls_back = |(key, node): &(Key, Yaml)| callbacks::section(node).map(|_| key.text.clone());
    let mut names = Names {
        client: scope.index,
        prompts,
        calendars: calendar_names,
        tables: table::read(&sections.tables, &sections.sheets, faults),
        queues: sections.queues.iter().map(|(key, _)| key.text.clone()).collect(),
        callbacks: sections.queues.iter().filter_map(calls_back).collect(),
        mailboxes: Vec::new(),
        zone: sections.zone.clone().unwrap_or(TimeZone::UTC),
        users: scope.users,
        trunks: scope.trunks,
        web: sections.web.as_ref(),
        secrets: &sections.secrets,
        owned: scope.owned,
        complete: sections.complete,
    };
    names.mailboxes = mailboxes::read(scope.index, &sections.mailboxes, &names, faults);
    let around = Around { client: scope.index, id: &scope.files.id, agents: scope.agents, names: &names };
    let mut queues = queues::read(&around, &sections.queues, faults);
    let mut compiled = compile(&sections.flows, calendars, &names, faults);
    let mut entered = HashSet::new();
    for (key, node) in &sections.numbers {
        let flow = number_flow(key, node, faults)
            .and_then(|node| flow_of(node, "a number", &compiled, sections, faults));
        numbers.add(scope.index, key, flow, faults);
        entered.extend(flow);
    }
    entered.extend(call_back(&mut queues, &names, &compiled, sections, faults));
    let mut handler = |node: &Option<Yaml>, what: &str| {
        let flow = flow_of(node.as_ref()?, what, &compiled, sections, faults)?;
        Some(compiled.program.flows[flow.0].entry)
    };
    compiled.program.handlers = Handlers {
        on_error: handler(&sections.on_error, "`on_error`"),
        on_hangup: handler(&sections.on_hangup, "`on_hangup`"),
    };
    analyse(&compiled, &entered, faults);
    (compiled.program, queues, names.mailboxes)
}

/// The flow's name of a number: the value itself, or `flow` of a map.
fn number_flow<'n>(key: &Key, node: &'n Yaml, faults: &mut Faults<'_>) -> Option<&'n Yaml> {
    match &node.value {
        yaml::Value::Map(_) => {
            Fields::of(node, key.span, "a number", &["flow", "record"], faults)?.require("flow", faults)
        }
        _ => Some(node),
    }
}

/// Lets queues call back, and gives the flows of those who are called.
fn call_back(
    queues: &mut [Queue],
    names: &Names<'_>,
    compiled: &Compiled,
    sections: &Sections,
    faults: &mut Faults<'_>,
) -> Vec<FlowIndex> {
    let mut flows = Vec::new();
    for (key, node) in &sections.queues {
        let Some(section) = callbacks::section(node) else { continue };
        let flow_of =
            |node: &Yaml, faults: &mut Faults<'_>| flow_of(node, "`callback`", compiled, sections, faults);
        let read = callbacks::read(&key.text, section, names, &compiled.program, flow_of, faults);
        let queue = queues.iter_mut().find(|queue| *queue.name == *key.text);
        if let (Some((callbacks, plan)), Some(queue)) = (read, queue) {
            flows.push(callbacks.flow);
            (queue.callbacks, queue.plan.callback) = (Some(callbacks), plan);
        }
    }
    flows
}

/// A flow that `what` leads to, which has no inputs to give.
fn flow_of(
    node: &Yaml,
    what: &str,
    compiled: &Compiled,
    sections: &Sections,
    faults: &mut Faults<'_>,
) -> Option<FlowIndex> {
    let flows = &compiled.program.flows;
    let name = node.text(&format!("the flow of {what}"), faults)?;
    let Some(index) = flows.iter().position(|flow| flow.name.as_ref() == name) else {
        if sections.complete {
            faults.unknown(node.span, "unknown flow {}", name, flows.iter().map(|flow| flow.name.as_ref()));
        }
        return None;
    };
    if flows[index].inputs.is_some() {
        let message = format!("the flow `{name}` has inputs, which {what} does not give");
        faults.hinted(node.span, message, "let it lead to a flow that calls this one");
        return None;
    }
    Some(FlowIndex(index))
}
