//! How often things happened, to see that the seeds reach them.

use std::fmt;
use std::ops::AddAssign;

/// Declares [`Tally`]: each count with what it is called in the closing line.
macro_rules! tally {
    ($($(#[$doc:meta])* $count:ident $text:literal;)*) => {
        /// Counts over one or more seeds.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Tally {
            $($(#[$doc])* pub $count: u64,)*
        }

        impl AddAssign for Tally {
            fn add_assign(&mut self, more: Self) {
                $(self.$count += more.$count;)*
            }
        }

        impl fmt::Display for Tally {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let counts = [$((self.$count, $text)),*];
                let texts: Vec<_> = counts.iter().map(|(count, text)| format!("{count} {text}")).collect();
                f.write_str(&texts.join(", "))
            }
        }
    };
}

tally! {
    /// Contacts that began.
    contacts "contacts";
    /// Legs that began.
    legs "legs";
    /// Legs that were answered.
    answered "answered";
    /// Bridges.
    bridged "bridged";
    /// Callers who heard the far end before it answered.
    early "with early media";
    /// Targets that a destination sent a call to.
    redirected "redirected";
    /// Calls of the switch's own, to test a trunk.
    test_calls "test calls";
    /// Parties that held.
    held "held";
    /// Parties that had fax by T.38.
    faxed "faxed";
    /// Parties that would not have it.
    fax_refused "refused fax";
    /// Legs with media one way.
    one_way "with media one way";
    /// Values that flows have kept or forgotten.
    counted "values kept";
    /// Those that went on with what was kept.
    again_counted "of before";
    /// Requests of flows by HTTP that have ended.
    requests "requests";
    /// Those that were sent again.
    again "sent again";
    /// Those of a server that was let alone.
    refused "refused";
    /// Those that nobody waited for any more.
    cancelled "cancelled";
    /// Recordings.
    recordings "recordings";
    /// Recordings that a rule has forbidden or ended.
    withheld "withheld";
    /// Messages that callers have left.
    messages "messages left";
    /// Those of which nothing was kept.
    too_short "dropped";
    /// Those that were heard, or new again.
    listened "listened to";
    /// Those that were deleted.
    deleted "deleted";
    /// Recordings that passed something over.
    hushed "with a gap";
    /// Supervisors that were rung.
    supervised "supervised";
    /// Supervisors that spoke to others then.
    resupervised "otherwise then";
    /// Calls that a supervisor took over.
    taken_over "taken over";
    /// Parties that came into rooms.
    rooms "in rooms";
    /// Of these, those who met somebody there.
    met "met there";
    /// Parties that were muted or heard again.
    muted "muted or heard again";
    /// Parties that an operator took out of their room.
    kicked "taken out";
    /// Registrations and refreshes.
    registered "registrations";
    /// Registrations of ours with trunks, and their refreshes.
    trunks_registered "registrations with trunks";
    /// Refusals of such.
    trunks_refused "refused by trunks";
    /// Targets of trunks that went down.
    targets_down "targets down";
    /// Targets of trunks that came back.
    targets_up "targets up again";
    /// Refusals of targets that want no call for a while.
    targets_rested "refused for a while";
    /// Legs to a trunk because the one before it rests.
    spared "by another trunk meanwhile";
    /// Calls that came by such a registration.
    by_registration "calls by those registrations";
    /// Transfers that began.
    transfers "transfers";
    /// Legs whose place a phone took.
    replaced "replaced";
    /// Pages of which nothing came any more.
    lost "pages lost";
    /// Of these, those that came back.
    back "back";
    /// Those that were given up.
    pages_given_up "given up";
    /// Parties whose trunk was asked to call elsewhere.
    released "released";
    /// Feature codes.
    codes "codes dialled";
    /// Transfers that keys asked for.
    by_keys "transfers by keys";
    /// Bridges in which a transferor and a target spoke, or got the party that was handed on.
    consulted "bridged in transfers";
    /// Transfers that were taken back.
    taken_back "taken back";
    /// Transfers whose target got the call.
    handed_over "handed over";
    /// Legs that went from one contact to another.
    joined "legs joined";
    /// Callers who were answered for.
    vouched "vouched for";
    /// Callers who were not.
    unvouched "not vouched for";
    /// Of these, callers whose signer's certificate was given up.
    given_up "certificates given up";
    /// Subscriptions of phones.
    subscribed "subscriptions";
    /// What their phones were told.
    notified "notified";
    /// Of these, what the phone refused.
    notify_refused "refused by phones";
    /// Callers who came into queues.
    queued "queued";
    /// Offers to agents.
    offered "offered to agents";
    /// Offers that rang out.
    not_answered "rang out";
    /// Offers that another agent was faster with.
    another_agent "another agent was faster with";
    /// Callers whom an agent has taken.
    served "served by agents";
    /// Callers who gave up in a queue.
    given_up_waiting "gave up waiting";
    /// Callers who left a queue otherwise.
    left_queue "left a queue";
    /// Places that went to another contact.
    moved_queue "places moved";
    /// Callers who wanted to be called back.
    callbacks "to be called back";
    /// Attempts at that.
    called_back "called back";
    /// Those who came to their queue then.
    reached "reached";
    /// Those who did not, however often they were called.
    not_reached "not reached";
    /// Those who waited on the line again.
    called_again "called again themselves";
    /// Callers whom a supervisor has moved, prioritised or pulled.
    directed "directed by supervisors";
    /// Wrap-ups.
    wrapped_up "wrapped up";
    /// Alarms.
    alarms "alarms";
}
