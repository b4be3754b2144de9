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
pub fn until_some<T>(limit: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(value) = look() {
            return value;
        }
        assert!(begin.elapsed() < limit, "not within {limit:?}: {what}");
        thread::sleep(LOOK);
    }
}
