use std::thread;
use std::time::{Duration, Instant};

/// How often a condition of another process is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// Waits until `condition` holds; panics with `what` when it does not within `limit`.
///
/// Other processes give no signal that a test could block on, so this looks every 20 ms.
pub fn until(limit: Duration, what: &str, mut condition: impl FnMut() -> bool) {
    until_some(limit, what, || condition().then_some(()));
}

/// Waits for a value; panics with `what` when there is none within `limit`.
pub fn until_some<T>(limit: Duration, what: &str, look: impl FnMut() -> Option<T>) -> T {
    within(limit, look).unwrap_or_else(|| panic!("not within {limit:?}: {what}"))
}

/// Waits for a value, no longer than `limit`.
pub(crate) fn within<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let begin = Instant::now();
    loop {
        let value = look();
        if value.is_some() || begin.elapsed() >= limit {
            return value;
        }
        thread::sleep(LOOK);
    }
}
