//! How far the signalling thread is behind.

use clock::{Duration, Time};

/// For how long something may wait in the queues without a pause before that is overload. A burst of some 300 calls is
/// worked off in that time; a caller whose INVITE waits five times as long sends it again (Timer A, 500 ms), and then
/// the load feeds itself.
const PATIENCE: Duration = Duration::from_millis(100);

/// Whether the queues have been empty of late.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    /// Since when something has been waiting at every look.
    since: Option<Time>,
    is_behind: bool,
}

impl Backlog {
    /// Takes a look, after a turn: whether something is left waiting. Says when the thread falls behind and when it has
    /// caught up.
    pub(super) fn observe(&mut self, now: Time, waits: bool) -> Option<bool> {
        let is_behind = if waits {
            now - *self.since.get_or_insert(now) >= PATIENCE
        } else {
            self.since = None;
            false
        };
        let changed = is_behind != self.is_behind;
        self.is_behind = is_behind;
        changed.then_some(is_behind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_behind_when_something_has_waited_all_the_time() {
        let mut backlog = Backlog::default();
        let looks = [(0, true), (99, true), (100, true), (150, true), (160, false), (170, true), (260, true)];
        let said = looks.map(|(at, waits)| backlog.observe(Time::from_millis(at), waits));
        assert_eq!(said, [None, None, Some(true), None, Some(false), None, None]);
        assert_eq!(backlog.observe(Time::from_millis(270), true), Some(true));
    }

    #[test]
    fn a_moment_without_a_queue_begins_anew() {
        let mut backlog = Backlog::default();
        for at in (0..1_000).step_by(50) {
            assert_eq!(backlog.observe(Time::from_millis(at), at % 100 == 0), None);
        }
    }
}
