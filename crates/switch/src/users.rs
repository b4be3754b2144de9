//! Which users are taken: an agent is offered a call only while it has none.

use events::ContactId;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Users that are being rung or talk, and in which contacts: a user who calls out may have several.
#[derive(Debug, Default)]
pub(crate) struct Users {
    contacts: HashMap<Arc<str>, Vec<ContactId>>,
    /// Whose calls or phones are others than before.
    news: BTreeSet<Arc<str>>,
}

impl Users {
    /// Whether the user may be offered a call.
    pub(crate) fn is_free(&self, user: &str) -> bool {
        !self.contacts.contains_key(user)
    }

    /// All contacts that have a user, in the order in which they got it.
    pub(crate) fn contacts_of(&self, user: &str) -> &[ContactId] {
        self.contacts.get(user).map_or(&[], Vec::as_slice)
    }

    /// Takes a user for a contact.
    pub(crate) fn occupy(&mut self, user: &Arc<str>, contact: ContactId) {
        let contacts = self.contacts.entry(Arc::clone(user)).or_default();
        if !contacts.contains(&contact) {
            contacts.push(contact);
            self.news.insert(Arc::clone(user));
        }
    }

    /// A contact lets go of a user.
    pub(crate) fn vacate(&mut self, user: &str, contact: ContactId) {
        if let Some(contacts) = self.contacts.get_mut(user) {
            contacts.retain(|known| *known != contact);
            self.news.insert(user.into());
            if contacts.is_empty() {
                self.contacts.remove(user);
            }
        }
    }

    /// The phones of a user are others than before.
    pub(crate) fn stir(&mut self, user: &Arc<str>) {
        self.news.insert(Arc::clone(user));
    }

    /// The phones of the user with this address of record, `alice@acme`, are others than before.
    pub(crate) fn stir_aor(&mut self, aor: &str) {
        if let Some((user, _)) = aor.rsplit_once('@') {
            self.news.insert(user.into());
        }
    }

    /// Whose calls or phones are others than when this was asked last.
    pub(crate) fn take_news(&mut self) -> BTreeSet<Arc<str>> {
        std::mem::take(&mut self.news)
    }

    pub(crate) fn len(&self) -> usize {
        self.contacts.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Arc<str>, ContactId)> {
        self.contacts.iter().flat_map(|(user, contacts)| contacts.iter().map(move |contact| (user, *contact)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_free_when_the_last_contact_has_let_go() {
        let mut users = Users::default();
        let alice: Arc<str> = "alice".into();
        users.occupy(&alice, ContactId(1));
        users.occupy(&alice, ContactId(1));
        users.occupy(&alice, ContactId(2));
        users.vacate("alice", ContactId(1));
        assert!(!users.is_free("alice"));
        users.vacate("alice", ContactId(2));
        assert!(users.is_free("alice"));
        assert_eq!(users.len(), 0);
    }
}
