//! How often things happened, to see that the seeds reach them.

use std::fmt;
use std::ops::AddAssign;

/// Counts over one or more seeds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Contacts that began.
    pub contacts: u64,
    /// Legs that began.
    pub legs: u64,
    /// Legs that were answered.
    pub answered: u64,
    /// Bridges.
    pub bridged: u64,
    /// Callers who heard the far end before it answered.
    pub early: u64,
    /// Parties that held.
    pub held: u64,
    /// Recordings.
    pub recordings: u64,
    /// Registrations and refreshes.
    pub registered: u64,
    /// Registrations of the switch with a trunk.
    pub trunks_registered: u64,
    /// REGISTERs of the switch that failed.
    pub trunks_refused: u64,
    /// Contacts that came by a registration of the switch.
    pub by_registration: u64,
    /// Transfers that began.
    pub transfers: u64,
    /// Transfers whose target got the call.
    pub handed_over: u64,
    /// Legs that went from one contact to another.
    pub joined: u64,
    /// Alarms.
    pub alarms: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, more: Self) {
        self.contacts += more.contacts;
        self.legs += more.legs;
        self.answered += more.answered;
        self.bridged += more.bridged;
        self.early += more.early;
        self.held += more.held;
        self.recordings += more.recordings;
        self.registered += more.registered;
        self.trunks_registered += more.trunks_registered;
        self.trunks_refused += more.trunks_refused;
        self.by_registration += more.by_registration;
        self.transfers += more.transfers;
        self.handed_over += more.handed_over;
        self.joined += more.joined;
        self.alarms += more.alarms;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { contacts, legs, answered, bridged, held, recordings, registered, .. } = self;
        let Self { trunks_registered, trunks_refused, by_registration, .. } = self;
        let Self { early, transfers, handed_over, joined, alarms, .. } = self;
        write!(
            f,
            "{contacts} contacts, {legs} legs, {answered} answered, {bridged} bridged, {early} with early media, {held} held, \
             {recordings} recordings, {registered} registrations, {trunks_registered} with trunks \
             ({trunks_refused} refused, {by_registration} calls by them), {transfers} transfers ({handed_over} done, \
             {joined} legs joined), {alarms} alarms"
        )
    }
}
