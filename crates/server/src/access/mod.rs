//! Who may ask a node for what: accounts of people, who log in by password, and of programs, which have a token.
//!
//! They are kept in `accounts.json` of the state directory, which a node alone writes. No secret is in it: passwords as
//! argon2id hashes, tokens (256 random bits) as SHA-256.

mod book;
mod secret;

pub use book::AccessError;
pub(crate) use book::{Accounts, NewAccount, NewSecret};
pub(crate) use secret::Token;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// What somebody does, and so what they may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    /// Runs the node: everything, of all clients
    Operator,
    /// Runs clients: all that is theirs, accounts included
    Administrator,
    /// Watches a floor, listens in, directs agents and callers, reads figures
    Supervisor,
    /// Takes calls: its own state and its own phone
    Agent,
    /// Reads everything and changes nothing
    Auditor,
    /// A program: reads calls, events and figures
    Integrator,
}

/// What a request needs. The document of the API names it as the scope of each operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Right {
    /// See queues, agents and rooms, and why they are as they are.
    Watch,
    /// Change what agents do and where callers wait, transfer calls.
    Direct,
    /// Do so with oneself.
    DirectOneself,
    /// Read calls and events.
    ReadCalls,
    /// Listen to calls that are up, and to recordings; record them or not.
    Listen,
    /// Erase recordings, or hold them against it.
    Erase,
    /// Read figures.
    Report,
    /// See what clients are to pay.
    Bill,
    /// See how the node and its trunks are.
    Inspect,
    /// Change what the node does: its configuration, bans, test calls.
    Operate,
    /// Make accounts and end them.
    ManageAccounts,
}

impl Right {
    pub(crate) const ALL: [Self; 11] = [
        Self::Watch,
        Self::Direct,
        Self::DirectOneself,
        Self::ReadCalls,
        Self::Listen,
        Self::Erase,
        Self::Report,
        Self::Bill,
        Self::Inspect,
        Self::Operate,
        Self::ManageAccounts,
    ];

    /// Its name as a scope.
    pub(crate) fn scope(self) -> &'static str {
        match self {
            Self::Watch => "watch",
            Self::Direct => "direct",
            Self::DirectOneself => "direct_oneself",
            Self::ReadCalls => "read_calls",
            Self::Listen => "listen",
            Self::Erase => "erase",
            Self::Report => "report",
            Self::Bill => "billing",
            Self::Inspect => "inspect",
            Self::Operate => "operate",
            Self::ManageAccounts => "manage_accounts",
        }
    }

    pub(crate) fn of_scope(scope: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|right| right.scope() == scope)
    }
}

impl Role {
    fn may(self, right: Right) -> bool {
        use Right::{
            Bill, Direct, DirectOneself, Erase, Inspect, Listen, ManageAccounts, ReadCalls, Report, Watch,
        };
        match self {
            Self::Operator => true,
            Self::Administrator => {
                matches!(
                    right,
                    Watch
                        | Direct
                        | DirectOneself
                        | ReadCalls
                        | Listen
                        | Erase
                        | Report
                        | Bill
                        | ManageAccounts
                )
            }
            Self::Supervisor => {
                matches!(right, Watch | Direct | DirectOneself | ReadCalls | Listen | Report)
            }
            Self::Agent => right == DirectOneself,
            Self::Auditor => matches!(right, Watch | ReadCalls | Report | Inspect),
            Self::Integrator => matches!(right, Watch | ReadCalls | Report),
        }
    }
}

/// Somebody who may ask for something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Account {
    /// By which the log names it.
    pub(crate) name: Arc<str>,
    pub(crate) role: Role,
    /// The clients whose rows it sees; all if there are none.
    #[serde(default)]
    pub(crate) clients: Vec<Arc<str>>,
    /// Which agent of queues it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) agent: Option<Arc<str>>,
    /// After which it is let in no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) expires: Option<Timestamp>,
}

impl Account {
    /// Who reads the state directory, which is where the commands on the node's own machine have their token from.
    pub(crate) fn of_the_node() -> Self {
        Self {
            name: "operator".into(),
            role: Role::Operator,
            clients: Vec::new(),
            agent: None,
            expires: None,
        }
    }

    /// Whether it sees all clients, and what is of none.
    pub(crate) fn sees_all(&self) -> bool {
        self.clients.is_empty() && self.role != Role::Agent
    }

    /// Whether it may do what needs this right. The node itself is the affair of those who see all of it.
    pub(crate) fn may(&self, right: Right) -> bool {
        let is_of_node = matches!(right, Right::Inspect | Right::Operate);
        self.role.may(right) && (self.sees_all() || !is_of_node)
    }

    /// What it may, as scopes.
    pub(crate) fn scopes(&self) -> Vec<&'static str> {
        Right::ALL.into_iter().filter(|right| self.may(*right)).map(Right::scope).collect()
    }

    /// Whether it sees what is of a client.
    pub(crate) fn sees(&self, client: &str) -> bool {
        self.sees_all() || self.clients.iter().any(|own| &**own == client)
    }

    /// Whether it may make an account, or end it: nobody gives away more than they have.
    pub(crate) fn may_manage(&self, other: &Self) -> bool {
        match self.role {
            Role::Operator => true,
            Role::Administrator => {
                let is_below = !matches!(other.role, Role::Operator | Role::Auditor);
                is_below && !other.clients.is_empty() && other.clients.iter().all(|client| self.sees(client))
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(role: Role, clients: &[&str]) -> Account {
        let clients = clients.iter().map(|&client| client.into()).collect();
        Account { role, clients, ..Account::of_the_node() }
    }

    #[test]
    fn scopes_lead_back_to_their_rights() {
        for right in Right::ALL {
            assert_eq!(Right::of_scope(right.scope()), Some(right));
        }
        assert_eq!(Right::of_scope("anything"), None);
    }

    #[test]
    fn nobody_manages_more_than_they_have() {
        let acme = account(Role::Administrator, &["acme"]);
        assert!(acme.may_manage(&account(Role::Supervisor, &["acme"])));
        assert!(acme.may_manage(&account(Role::Administrator, &["acme"])));
        for beyond in [
            account(Role::Supervisor, &[]),
            account(Role::Supervisor, &["acme", "bank"]),
            account(Role::Operator, &["acme"]),
            account(Role::Auditor, &["acme"]),
        ] {
            assert!(!acme.may_manage(&beyond), "{beyond:?}");
        }
        assert!(!account(Role::Supervisor, &["acme"]).may_manage(&account(Role::Agent, &["acme"])));
    }

    #[test]
    fn who_sees_some_clients_alone_has_nothing_to_do_with_the_node() {
        assert!(account(Role::Auditor, &[]).may(Right::Inspect));
        assert!(!account(Role::Auditor, &["acme"]).may(Right::Inspect));
        assert_eq!(account(Role::Auditor, &["acme"]).scopes(), ["watch", "read_calls", "report"]);
    }

    #[test]
    fn an_agent_sees_no_client_as_a_whole_and_an_auditor_changes_nothing() {
        assert!(!account(Role::Agent, &[]).sees("acme"));
        assert!(account(Role::Auditor, &[]).sees("acme"));
        for right in [Right::Direct, Right::Listen, Right::Operate, Right::ManageAccounts] {
            assert!(!Role::Auditor.may(right) && !Role::Integrator.may(right), "{right:?}");
        }
    }
}
