//! What the demo tells: progress as it happens, then the call as the event log has it.

use super::evidence::{Speech, same_speech};
use super::sample::{AGENTS, CALLER, NUMBER, Sample};
use super::{DemoError, MOMENT};
use crate::phone::level;
use events::cdr::{Cdr, Disposition, Recording};
use events::{ContactId, ladder, queues};
use std::path::Path;
use std::time::{Duration, Instant};
use store::{Filter, Reader, Store, StoreError};

/// Tells each step with the time since the start.
pub(super) struct Progress(Instant);

impl Progress {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    pub(super) fn tell(&self, text: &str) {
        println!("{:5.1} s  {text}", self.0.elapsed().as_secs_f64());
    }
}

/// Prints the call's ladder, and, if all of it happened, its CDR and its recording.
///
/// # Errors
/// What the log or the recording lacks.
pub(super) fn show(sample: &Sample, before: Option<ContactId>, whole: bool) -> Result<(), DemoError> {
    runtime()?.block_on(async {
        let reader = Store::open_read(&sample.state).await?;
        let cdr = if whole { Some(ended_call(&reader, before).await?) } else { None };
        show_ladder(&reader, before).await?;
        match cdr {
            Some(cdr) => show_call(sample, &cdr),
            None => Ok(()),
        }
    })
}

/// The last call that the log has of earlier runs. Every later contact has a higher number.
///
/// # Errors
/// The log cannot be read.
pub(super) fn last_call(sample: &Sample) -> Result<Option<ContactId>, DemoError> {
    runtime()?.block_on(async {
        let reader = Store::open_read(&sample.state).await?;
        Ok(reader.calls(1, &Filter::default()).await?.pop().map(|cdr| cdr.contact))
    })
}

fn runtime() -> Result<tokio::runtime::Runtime, DemoError> {
    let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
    built.map_err(DemoError::system("start a runtime"))
}

/// The CDR of the call, once the log has it.
async fn ended_call(reader: &Reader, before: Option<ContactId>) -> Result<Cdr, DemoError> {
    let deadline = Instant::now() + MOMENT;
    loop {
        let last = reader.calls(1, &Filter::default()).await?.pop();
        if let Some(cdr) = last.filter(|cdr| Some(cdr.contact) > before) {
            return Ok(cdr);
        }
        if Instant::now() > deadline {
            return Err(DemoError::Missing("the call's CDR is not in the event log".to_owned()));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn show_ladder(reader: &Reader, before: Option<ContactId>) -> Result<(), StoreError> {
    let found = reader.find(NUMBER).await?.filter(|contact| Some(*contact) > before);
    let Some(contact) = found else { return Ok(()) };
    let Some(wall) = reader.wall_of(contact).await? else { return Ok(()) };
    let events = reader.events_of(contact).await?;
    println!("\n{}", ladder::render(&events, wall, ladder::DEFAULT_WIDTH));
    println!("why it went to whom it went (ringdown why):\n{}", queues::story(contact, &events));
    Ok(())
}

fn show_call(sample: &Sample, cdr: &Cdr) -> Result<(), DemoError> {
    print!("{cdr}");
    if cdr.disposition != Disposition::Answered {
        let found = cdr.disposition.name();
        return Err(DemoError::Missing(format!("the CDR says `answered`: it says `{found}`")));
    }
    let [recording] = cdr.recordings.as_slice() else {
        return Err(DemoError::Missing(format!("one recording: there are {}", cdr.recordings.len())));
    };
    let text = recording_text(sample, recording).map_err(|fault| {
        DemoError::Missing(format!("the recording {} holds the call: {fault}", recording.path))
    })?;
    println!("{text}");
    Ok(())
}

/// The recording's path, length and levels; it must hold what both said.
fn recording_text(sample: &Sample, recording: &Recording) -> Result<String, String> {
    let path = Path::new(&recording.path);
    let mut reader = hound::WavReader::open(path).map_err(|error| error.to_string())?;
    let samples: Vec<i16> = reader.samples().collect::<Result<_, _>>().map_err(|error| error.to_string())?;
    let channel = |skip| samples.iter().skip(skip).step_by(2).copied().collect::<Vec<i16>>();
    let (caller, others) = (channel(0), channel(1));
    for (heard, wav) in [(&caller, "demo/caller.wav"), (&others, "demo/agent.wav")] {
        let speech = Speech::read(&sample.wav(wav)).map_err(|error| error.to_string())?;
        same_speech(&speech, heard).map_err(|fault| format!("{wav}: {fault}"))?;
    }
    let decibels =
        |channel: &[i16]| level(channel).map_or_else(|| "silence".to_owned(), |it| format!("{it:.0} dBFS"));
    Ok(format!(
        "recording {} ({:.1} s; caller {}, agent and prompts {})",
        path.display(),
        caller.len() as f64 / 8_000.0,
        decibels(&caller),
        decibels(&others),
    ))
}

/// For `--keep`.
pub(super) fn tell_how_to_go_on(sample: &Sample) {
    println!("\nThe switch stays up until Ctrl-C. Register a phone of your own (UDP or TCP, no TLS):");
    println!("  server    {}", sample.sip);
    for (name, password) in AGENTS.iter().zip(&sample.passwords) {
        println!("  user      {name}, password {password}");
    }
    println!(
        "Then dial {NUMBER} and press 1: the other registered phones ring ({CALLER} was the trunk's number)."
    );
    println!("Its calls:  ringdown calls --state {}", sample.state.display());
    println!("One call:   ringdown trace ID --state {}", sample.state.display());
    println!(
        "Its flows:  {} (edit them, then ringdown reload --state {})",
        sample.wav("acme.yaml").display(),
        sample.state.display()
    );
}
