//! RTP ports that the engine has bound and no leg uses yet.

use rtp::control::LocalPort;
use std::collections::VecDeque;

/// Ready ports by media thread, and how many each thread has in use.
#[derive(Debug, Default)]
pub(crate) struct Ports {
    threads: Vec<Thread>,
}

#[derive(Debug, Default)]
struct Thread {
    ready: VecDeque<LocalPort>,
    in_use: usize,
}

impl Ports {
    pub(crate) fn add(&mut self, ports: Vec<LocalPort>) {
        for port in ports {
            let index = usize::from(port.thread);
            if self.threads.len() <= index {
                self.threads.resize_with(index + 1, Thread::default);
            }
            self.threads[index].ready.push_back(port);
        }
    }

    /// A port on `thread`, or for a new contact on the thread that carries the fewest legs.
    pub(crate) fn take(&mut self, thread: Option<u16>) -> Option<LocalPort> {
        let index = match thread {
            Some(thread) => usize::from(thread),
            None => self
                .threads
                .iter()
                .enumerate()
                .filter(|(_, thread)| !thread.ready.is_empty())
                .min_by_key(|(_, thread)| thread.in_use)
                .map(|(index, _)| index)?,
        };
        let thread = self.threads.get_mut(index)?;
        let port = thread.ready.pop_front()?;
        thread.in_use += 1;
        Some(port)
    }

    /// A port that no SDP has named: another leg may have it at once.
    pub(crate) fn give_back(&mut self, port: LocalPort) {
        self.release(port);
        self.threads[usize::from(port.thread)].ready.push_front(port);
    }

    /// A port whose stream is closed: the engine rests it and announces it again.
    pub(crate) fn release(&mut self, port: LocalPort) {
        let thread = &mut self.threads[usize::from(port.thread)];
        thread.in_use = thread.in_use.saturating_sub(1);
    }

    pub(crate) fn ready(&self) -> usize {
        self.threads.iter().map(|thread| thread.ready.len()).sum()
    }

    pub(crate) fn in_use(&self) -> usize {
        self.threads.iter().map(|thread| thread.in_use).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_contacts_go_to_the_thread_with_the_fewest_legs() {
        let mut ports = Ports::default();
        ports.add(
            (0..2)
                .flat_map(|thread| (0..4).map(move |n| LocalPort { thread, port: 30_000 + 2 * n }))
                .collect(),
        );
        let first = ports.take(None).unwrap();
        assert_eq!(first.thread, 0);
        assert_eq!(ports.take(Some(0)).unwrap().thread, 0);
        assert_eq!(ports.take(None).unwrap().thread, 1);
        ports.give_back(first);
        assert_eq!((ports.ready(), ports.in_use()), (6, 2));
    }
}
