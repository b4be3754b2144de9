//! RTP ports that the engine has bound and no leg uses yet.

use rtp::control::LocalPort;
use std::collections::VecDeque;

/// The caller's and the callee's.
const PORTS_A_CALL: usize = 2;

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

    /// The thread for a new call: of those that have a port for it and one for whom it rings, the one with the fewest
    /// legs. A call that could only fail when it rings somebody is not taken.
    pub(crate) fn thread_for_call(&self) -> Option<u16> {
        let with_room = self.threads.iter().zip(0..).filter(|(thread, _)| thread.ready.len() >= PORTS_A_CALL);
        with_room.min_by_key(|(thread, _)| thread.in_use).map(|(_, index)| index)
    }

    /// A port on a thread, if it has one ready.
    pub(crate) fn take(&mut self, thread: u16) -> Option<LocalPort> {
        let thread = self.threads.get_mut(usize::from(thread))?;
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
        assert_eq!(ports.thread_for_call(), Some(0));
        let first = ports.take(0).unwrap();
        assert_eq!(ports.take(0).unwrap().thread, 0);
        assert_eq!(ports.thread_for_call(), Some(1));
        ports.take(1).unwrap();
        ports.give_back(first);
        assert_eq!((ports.ready(), ports.in_use()), (6, 2));
    }

    #[test]
    fn a_thread_with_one_port_takes_no_new_call() {
        let mut ports = Ports::default();
        ports.add((0..3).map(|n| LocalPort { thread: 0, port: 30_000 + 2 * n }).collect());
        ports.take(0).unwrap();
        assert_eq!(ports.thread_for_call(), Some(0));
        let last = ports.take(0).unwrap();
        assert_eq!((ports.thread_for_call(), ports.ready()), (None, 1));
        ports.give_back(last);
        assert_eq!(ports.thread_for_call(), Some(0));
    }
}
