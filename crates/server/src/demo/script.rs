//! What happens in the demo, step by step; each step is awaited and told.

use super::evidence::{self, Speech};
use super::report::Progress;
use super::sample::{AGENTS, CALLER, NUMBER, Sample};
use super::{DemoError, MOMENT};
use crate::phone::{Phone, PhoneEvent};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// For how long an agent registers, in seconds.
const EXPIRES: u32 = 300;
/// When to give up on a prompt that should be heard.
const PROMPT: Duration = Duration::from_secs(15);
/// When to listen again.
const POLL: Duration = Duration::from_millis(100);
/// The part of a prompt within which it should be known.
const BEGINNING: Duration = Duration::from_millis(1_200);
/// How much of it is enough to know it by: on a busy machine some packets come too late.
const RECOGNISED: usize = 2_400;
/// How long to talk beyond the longer speech, for what is still on its way.
const TAIL: Duration = Duration::from_millis(300);

/// The call, from the agents' registration to the hang-up.
pub(super) fn play(sample: &Sample, agents: &[Phone; 2], progress: &Progress) -> Result<(), DemoError> {
    for (agent, name) in agents.iter().zip(AGENTS) {
        agent.register(EXPIRES);
        expect(agent, &format!("{name} registers"), |event| *event == PhoneEvent::Registered)?;
        progress.tell(&format!("{name} has registered (digest)"));
    }
    let caller = sample.caller()?;
    through_the_menu(sample, &caller, progress)?;
    let [alice, bob] = agents;
    let rings = |event: &PhoneEvent| matches!(event, PhoneEvent::Incoming { .. });
    expect(alice, "alice's phone rings", rings)?;
    progress.tell("the caller waits in the queue support, and alice rings: she has been free for longest");
    alice.answer();
    expect(alice, "alice answers", |event| *event == PhoneEvent::Up)?;
    progress.tell("alice answers");
    if let Some(event) = bob.next_event(Instant::now()) {
        return Err(DemoError::Missing(format!("bob's phone is left in peace: {event:?} came")));
    }
    talk(sample, &caller, alice, progress)?;
    caller.hang_up();
    expect(&caller, "the caller's BYE is answered", |event| *event == PhoneEvent::Ended)?;
    expect(alice, "alice hears that the caller hung up", |event| *event == PhoneEvent::HungUp)?;
    progress.tell("the caller hangs up, and alice's phone with it");
    Ok(())
}

/// Takes the agents' registrations back; a phone that does not manage expires anyway.
pub(super) fn unregister(agents: &[Phone; 2]) {
    for agent in agents {
        agent.register(0);
        // Registered means here: the REGISTER with Expires 0 was accepted.
        let _ = expect(agent, "an agent's registration ends", |event| *event == PhoneEvent::Registered);
    }
}

fn through_the_menu(sample: &Sample, caller: &Phone, progress: &Progress) -> Result<(), DemoError> {
    caller.call(NUMBER);
    expect(caller, &format!("{NUMBER} answers"), |event| *event == PhoneEvent::Up)?;
    progress.tell(&format!("{CALLER} calls {NUMBER} by the trunk, and the flow answers"));
    let welcome = Speech::read(&sample.wav("prompts/welcome.wav"))?;
    hear(caller, &welcome, "the greeting")?;
    progress.tell("the caller hears the greeting");
    let choose = Speech::read(&sample.wav("prompts/choose.wav"))?;
    hear(caller, &choose, "the menu")?;
    progress.tell("the caller hears the menu and presses 2 (RFC 4733)");
    caller.press('2');
    Ok(())
}

/// Both speak at the same time, each what only they say; what arrives is compared with what was said.
fn talk(sample: &Sample, caller: &Phone, alice: &Phone, progress: &Progress) -> Result<(), DemoError> {
    let question = Speech::read(&sample.wav("demo/caller.wav"))?;
    let answer = Speech::read(&sample.wav("demo/agent.wav"))?;
    caller.speak(Arc::clone(&question.samples));
    alice.speak(Arc::clone(&answer.samples));
    let until = Instant::now() + question.duration().max(answer.duration()) + TAIL;
    for (phone, name) in [(alice, "alice"), (caller, "the caller")] {
        if let Some(event) = phone.next_event(until) {
            return Err(DemoError::Missing(format!("{name}'s call went on instead: {event:?} came")));
        }
    }
    for (listener, speech, what) in
        [(alice, &question, "alice hears the caller"), (caller, &answer, "the caller hears alice")]
    {
        let likeness =
            await_speech(listener, speech).map_err(|fault| DemoError::Missing(format!("{what}: {fault}")))?;
        progress.tell(&format!("{what}: {:.1} s, {:.0}% alike", speech.seconds(), likeness * 100.0));
    }
    Ok(())
}

/// Waits a moment for the rest of a speech: on a busy machine it is late. How alike it is, or what is wrong.
fn await_speech(listener: &Phone, speech: &Speech) -> Result<f64, String> {
    let deadline = Instant::now() + MOMENT;
    loop {
        let found = evidence::same_speech(speech, &listener.heard().samples());
        let next = Instant::now() + POLL;
        if found.is_ok() || next > deadline {
            return found;
        }
        if let Some(event) = listener.next_event(next) {
            return Err(format!("{event:?} came"));
        }
    }
}

/// Waits until a phone hears the beginning of a prompt.
fn hear(phone: &Phone, prompt: &Speech, what: &str) -> Result<(), DemoError> {
    let deadline = Instant::now() + PROMPT;
    let beginning = prompt.beginning(BEGINNING);
    loop {
        let heard = phone.heard().samples();
        if beginning.chunks_exact(RECOGNISED).any(|piece| evidence::is_heard(piece, &heard)) {
            return Ok(());
        }
        let next = Instant::now() + POLL;
        if let Some(event) = phone.next_event(next) {
            return Err(DemoError::Missing(format!("the caller hears {what}: {event:?} came instead")));
        }
        if next > deadline {
            return Err(DemoError::Missing(format!(
                "the caller hears {what}: {} s of other audio came in {} s",
                heard.len() / 8_000,
                PROMPT.as_secs()
            )));
        }
    }
}

/// Waits for an event; others before it are progress, or the end of the demo if they say so.
fn expect(phone: &Phone, what: &str, wanted: impl Fn(&PhoneEvent) -> bool) -> Result<(), DemoError> {
    let deadline = Instant::now() + MOMENT;
    while let Some(event) = phone.next_event(deadline) {
        if wanted(&event) {
            return Ok(());
        }
        if !matches!(event, PhoneEvent::Progress(_)) {
            return Err(DemoError::Missing(format!("{what}: {event:?} came instead")));
        }
    }
    Err(DemoError::Missing(format!("{what}: nothing came within {} s", MOMENT.as_secs())))
}
