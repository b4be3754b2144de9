//! Which users are taken: an agent holds at most one offer or call at a time.

use events::ContactId;
use std::collections::HashMap;
use std::sync::Arc;

/// Users that are being rung or talk, and by which contact.
#[derive(Debug, Default)]
pub(crate) struct Users {
    holder: HashMap<Arc<str>, ContactId>,
}

impl Users {
    /// Takes a user for a contact; false if another contact has it.
    pub(crate) fn occupy(&mut self, user: &Arc<str>, contact: ContactId) -> bool {
        *self.holder.entry(Arc::clone(user)).or_insert(contact) == contact
    }

    /// Frees a user that this contact holds.
    pub(crate) fn vacate(&mut self, user: &str, contact: ContactId) {
        if self.holder.get(user) == Some(&contact) {
            self.holder.remove(user);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.holder.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Arc<str>, ContactId)> {
        self.holder.iter().map(|(user, contact)| (user, *contact))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_belongs_to_one_contact_until_that_contact_lets_go() {
        let mut users = Users::default();
        let alice: Arc<str> = "alice".into();
        assert!(users.occupy(&alice, ContactId(1)));
        assert!(users.occupy(&alice, ContactId(1)));
        assert!(!users.occupy(&alice, ContactId(2)));
        users.vacate("alice", ContactId(2));
        assert_eq!(users.len(), 1);
        users.vacate("alice", ContactId(1));
        assert!(users.occupy(&alice, ContactId(2)));
    }
}
