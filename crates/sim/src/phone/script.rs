//! What a phone will do, drawn from the seed before it does it.

use super::fax::FaxScript;
use super::reliable::Reliability;
use crate::dice::Dice;
use crate::plan;
use clock::{Duration, Time};
use rand_chacha::ChaCha12Rng;

/// A phone that nobody picks up gives up long after any switch should have.
const RINGS_ON: Duration = Duration::from_secs(150);
/// When callers place calls.
const FIRST_CALL: Time = Time::from_secs(5);
const CALLING: Duration = Duration::from_secs(60);
/// A caller that does not change its mind waits at least so long for an answer.
const PATIENT: Duration = Duration::from_secs(50);
/// A caller that was not told when to hang up does so then, so that every seed ends.
const LONGEST_CALL: Duration = Duration::from_secs(90);

/// One call that a trunk or user places.
#[derive(Clone, Debug)]
pub(crate) struct CallScript {
    pub(crate) at: Time,
    /// The user part of the Request-URI.
    pub(crate) number: &'static str,
    /// CANCEL that long after the INVITE, unless the call is over by then.
    pub(crate) cancel_after: Duration,
    /// CANCEL goes out although nothing has been heard of the INVITE (against RFC 3261 9.1).
    pub(crate) cancels_rudely: bool,
    pub(crate) talk: Talk,
    /// INVITE without SDP: the ACK carries the answer.
    pub(crate) delayed_offer: bool,
    /// The ACK to the 2xx is never sent.
    pub(crate) never_ack: bool,
    pub(super) reliability: Reliability,
    /// The dialog whose place the call is to take.
    pub(super) replaces: Option<String>,
}

/// What a party does in an answered call.
#[derive(Clone, Debug)]
pub(crate) struct Talk {
    /// BYE that long after the answer; without it the other side has to.
    pub(crate) hang_up_after: Option<Duration>,
    /// Holds that long after the answer, and takes up again after the second.
    pub(crate) hold: Option<(Duration, Duration)>,
    /// Falls silent for ever that long after the answer: no packet leaves the phone again.
    pub(crate) dies_after: Option<Duration>,
    /// Keys pressed, each so long after the one before.
    pub(crate) keys: Vec<(Duration, char)>,
    /// BYE is never answered.
    pub(crate) ignores_bye: bool,
    /// REFER that long after the answer, if it is a user.
    pub(crate) refer: Option<(Duration, ReferScript)>,
    /// Places another call that long after the answer, if it is a user.
    pub(crate) consult_after: Option<Duration>,
    /// Asks for fax.
    pub(crate) fax: Option<FaxScript>,
    /// As the callee: begins to talk, hold and hang up before the ACK is there.
    pub(crate) hasty: bool,
}

/// What a phone asks for by REFER.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReferScript {
    /// The target, if there is no other call to be joined with.
    pub(crate) to: &'static str,
    /// It wants a target even if it has another call.
    pub(crate) blind: bool,
    /// `Refer-Sub: false`.
    pub(crate) silent: bool,
    /// It hangs up as soon as the REFER is out.
    pub(crate) leaves: bool,
}

/// What a phone does when it is called.
#[derive(Clone, Debug)]
pub(crate) struct RingScript {
    /// Ignores the call altogether.
    pub(crate) deaf: bool,
    /// A provisional response after that long.
    pub(crate) progress: Option<(Duration, u16)>,
    pub(super) reliability: Reliability,
    pub(crate) then: Then,
    pub(crate) on_cancel: OnCancel,
    pub(crate) talk: Talk,
}

/// The final response of a phone that is called.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Then {
    /// 200 after that long; a second 200 with another tag if it forks; without a usable SDP if it is broken.
    Answer { after: Duration, forks: bool, broken: bool },
    /// Refuses after that long.
    Refuse { after: Duration, status: u16 },
}

/// How a phone takes a CANCEL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnCancel {
    /// 200 and 487.
    Obey,
    /// Answers the INVITE with 200 at that very moment: the two cross.
    AnswerAcross,
    /// Pretends not to have received it, and may answer late.
    Ignore,
}

impl CallScript {
    pub(crate) fn draw(rng: &mut ChaCha12Rng, numbers: &[&'static str]) -> Self {
        let cancel_after =
            if rng.chance(300) { draw_instant(rng) } else { PATIENT + rng.within(Duration::from_secs(60)) };
        let mut talk = Talk::draw(rng);
        talk.hang_up_after.get_or_insert(LONGEST_CALL);
        Self {
            at: FIRST_CALL + rng.within(CALLING),
            number: rng.pick(numbers),
            cancel_after,
            cancels_rudely: rng.chance(150),
            talk,
            delayed_offer: rng.chance(120),
            never_ack: rng.chance(50),
            reliability: Reliability::draw(rng),
            replaces: None,
        }
    }
}

impl Talk {
    /// A user that does little but transfer: it calls somebody else at once, joins the calls, and waits.
    pub(crate) fn storm(&mut self, rng: &mut ChaCha12Rng) {
        self.hang_up_after = Some(Duration::from_secs(20) + rng.within(LONGEST_CALL));
        self.dies_after = None;
        // Mostly once the consultation has been answered.
        let after = Duration::from_secs(2 + u64::from(rng.below(10)));
        let script =
            ReferScript { blind: rng.chance(150), leaves: rng.chance(200), ..ReferScript::draw(rng) };
        self.refer = Some((after, script));
        self.consult_after = rng.chance(700).then(|| rng.within(Duration::from_secs(2)));
    }

    fn draw(rng: &mut ChaCha12Rng) -> Self {
        let mut keys: Vec<_> = (0..rng.below(5))
            .map(|_| {
                let key = rng.pick(&['1', '1', '2', '2', '3', '9', '#', '*', '0']);
                (rng.within(Duration::from_secs(5)), key)
            })
            .collect();
        if rng.chance(350) {
            keys.extend(draw_codes(rng));
        }
        let seconds = |rng: &mut ChaCha12Rng| rng.within(Duration::from_secs(8));
        Self {
            hang_up_after: rng.chance(750).then(|| draw_instant(rng)),
            hold: rng.chance(300).then(|| (seconds(rng), seconds(rng))),
            dies_after: rng.chance(60).then(|| seconds(rng)),
            keys,
            ignores_bye: rng.chance(40),
            refer: rng.chance(350).then(|| (draw_instant(rng), ReferScript::draw(rng))),
            consult_after: rng.chance(250).then(|| seconds(rng)),
            hasty: rng.chance(100),
            fax: rng.chance(120).then(|| FaxScript::draw(rng)),
        }
    }
}

impl ReferScript {
    fn draw(rng: &mut ChaCha12Rng) -> Self {
        let targets = [
            "alice",
            "bob",
            "carol",
            "direct",
            "desk",
            "team",
            "first",
            "hunt",
            "menu",
            "busy",
            "out",
            "x",
            "+494712",
            plan::OUTSIDE,
            plan::OUTSIDE,
            plan::OUTSIDE,
        ];
        Self {
            to: rng.pick(&targets),
            blind: rng.chance(400),
            silent: rng.chance(150),
            leaves: rng.chance(300),
        }
    }
}

impl RingScript {
    pub(crate) fn draw(rng: &mut ChaCha12Rng) -> Self {
        let then = match rng.below(10) {
            0..=5 => Then::Answer { after: draw_instant(rng), forks: rng.chance(80), broken: rng.chance(30) },
            6..=7 => {
                let status =
                    rng.pick(&[486, 480, 603, 404, 500, 503, 488, 600, 408, 302, 302, 302, 302, 401, 487]);
                Then::Refuse { after: draw_instant(rng), status }
            }
            _ => Then::Refuse { after: RINGS_ON, status: 480 },
        };
        let progress = rng.pick(&[180, 180, 183, 100, 181]);
        let mut talk = Talk::draw(rng);
        // A transfer may leave it with another callee.
        talk.hang_up_after.get_or_insert(LONGEST_CALL);
        Self {
            deaf: rng.chance(60),
            progress: rng.chance(850).then(|| (rng.within(Duration::from_millis(900)), progress)),
            reliability: Reliability::draw(rng),
            then,
            on_cancel: match rng.below(10) {
                0..=5 => OnCancel::Obey,
                6..=8 => OnCancel::AnswerAcross,
                _ => OnCancel::Ignore,
            },
            talk,
        }
    }
}

/// The keys of a transfer, and perhaps of what may follow it: see the plan's codes.
fn draw_codes(rng: &mut ChaCha12Rng) -> Vec<(Duration, char)> {
    let code = rng.pick(&["*1", "*2", "*2"]);
    let target = rng.pick(&["20#", "20#", "20", "11#", "12#", "0034911999999#", "00494712#", "99#", "#", ""]);
    let then = rng.pick(&["", "*3", "*0", "*1"]);
    let pause = |rng: &mut ChaCha12Rng| {
        if rng.chance(900) {
            rng.within(Duration::from_millis(400))
        } else {
            rng.within(Duration::from_secs(6))
        }
    };
    let mut keys: Vec<_> = [code, target].concat().chars().map(|key| (pause(rng), key)).collect();
    let wait = rng.within(Duration::from_secs(12));
    keys.extend(
        then.chars().enumerate().map(|(n, key)| if n == 0 { (wait, key) } else { (pause(rng), key) }),
    );
    keys
}

/// Whole seconds half of the time, so that things often happen at the same instant.
fn draw_instant(rng: &mut ChaCha12Rng) -> Duration {
    if rng.chance(500) {
        Duration::from_secs(u64::from(rng.below(9)))
    } else {
        rng.within(Duration::from_secs(12))
    }
}
