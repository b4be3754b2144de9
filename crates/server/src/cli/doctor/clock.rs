//! Whether this machine's clock is right: by the kernel's word, and by that of the trunks.

use super::report::Finding;
use jiff::{SignedDuration, Timestamp};

/// A Date has whole seconds, and takes its time: nothing closer is said of it.
const NEAR: SignedDuration = SignedDuration::from_secs(5);
/// A token of STIR is too old, or from the future, beyond that (RFC 8224 section 4.1).
const FAR: SignedDuration = SignedDuration::from_secs(60);

/// Whether something keeps the kernel's clock in step; `None` where the kernel does not say.
pub(super) fn is_kept() -> Option<bool> {
    let mut state = std::mem::MaybeUninit::<nix::libc::timex>::zeroed();
    #[expect(unsafe_code, reason = "no crate of ours has adjtimex(2), which alone tells this")]
    // SAFETY: all of it is plain numbers, for which zero is a value; `modes` of zero changes nothing.
    let (answer, state) = unsafe {
        let answer = nix::libc::adjtimex(state.as_mut_ptr());
        (answer, state.assume_init())
    };
    (answer >= 0).then_some(state.status & nix::libc::STA_UNSYNC == 0)
}

pub(super) fn of_kernel(is_kept: Option<bool>) -> Finding {
    match is_kept {
        Some(true) => Finding::ok("clock", "the kernel says that this clock is kept in step"),
        Some(false) => Finding::warning(
            "clock",
            "nothing keeps this machine's clock in step, as the kernel says",
            "start chrony, ntpd or systemd-timesyncd; in a container, see to the host's",
        ),
        None => Finding::warning(
            "clock",
            "the kernel does not say whether this clock is kept",
            "run `timedatectl`",
        ),
    }
}

/// Judges this clock by the Date of a trunk's answer that came at `now`, `took` after the question.
pub(super) fn of_trunk(
    trunk: &str,
    date: Timestamp,
    (now, took): (Timestamp, SignedDuration),
    is_kept: Option<bool>,
) -> Finding {
    // Half a second that the Date does not have, and half of the way.
    let theirs = date.as_millisecond() + 500;
    let ours = now.as_millisecond() - i64::try_from(took.as_millis() / 2).unwrap_or_default();
    let apart = SignedDuration::from_millis(ours - theirs);
    if apart.abs() <= NEAR {
        return Finding::ok("clock", format!("{trunk}: its Date and this clock agree"));
    }
    let which = if apart.is_positive() { "ahead of" } else { "behind" };
    let what = format!("{trunk}: this clock is {} {which} its Date", length(apart.abs()));
    let advice = match is_kept {
        Some(true) => "this clock is kept in step, so tell the carrier",
        _ => "set this clock, and have chrony, ntpd or systemd-timesyncd keep it",
    };
    if apart.abs() > FAR {
        Finding::fault("clock", what, format!("{advice}: tokens of STIR/SHAKEN hold for 60 s"))
    } else {
        Finding::warning("clock", what, advice)
    }
}

/// `7 s`, `62 min`, `3 h`.
fn length(of: SignedDuration) -> String {
    match of.as_secs() {
        seconds @ ..180 => format!("{seconds} s"),
        seconds @ 180..10_800 => format!("{} min", (seconds + 30) / 60),
        seconds => format!("{} h", (seconds + 1_800) / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::Level;
    use super::*;

    #[test]
    fn rfc3261_20_17_a_date_is_held_against_the_clock() {
        let date: Timestamp = "2026-11-29T12:00:00Z".parse().expect("a time");
        let (way, second) = (SignedDuration::from_millis(200), SignedDuration::from_secs(1));
        let found = |seconds: i32| of_trunk("c", date, (date + second * seconds, way), None);
        for (seconds, level) in [
            (0, Level::Ok),
            (5, Level::Ok),
            (-4, Level::Ok),
            (6, Level::Warning),
            (-10, Level::Warning),
            (60, Level::Warning),
            (62, Level::Fault),
            (-61, Level::Fault),
        ] {
            assert_eq!(found(seconds).level, level, "{seconds}");
        }
        assert_eq!(found(3_601).what, "c: this clock is 60 min ahead of its Date");
        assert_eq!(found(-7).what, "c: this clock is 7 s behind its Date");
    }

    #[test]
    fn the_kernel_says_something() {
        assert!(is_kept().is_some());
    }
}
