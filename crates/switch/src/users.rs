//! Which users are taken: an agent is offered a call only while it has none.

use events::ContactId;
use std::collections::HashMap;
use std::sync::Arc;

/// Users that are being rung or talk, and in which contacts: a user who calls out may have several.
#[derive(Debug, Default)]
pub(crate) struct Users {
    contacts: HashMap<Arc<str>, Vec<ContactId>>,
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
        }
    }

    /// A contact lets go of a user.
    pub(crate) fn vacate(&mut self, user: &str, contact: ContactId) {
        if let Some(contacts) = self.contacts.get_mut(user) {
            contacts.retain(|known| *known != contact);
            if contacts.is_empty() {
                self.contacts.remove(user);
            }
        }
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
