//! Recorded words: what `say` and the announcements of queues put together.

use crate::faults::{Faults, Span};
use crate::prompts::Prompts;
use spoken::{Kind, Language, What};
use std::collections::HashMap;
use std::sync::Arc;

/// The files of all words that a kind may need in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Words {
    language: Language,
    files: HashMap<String, Arc<str>>,
}

impl Words {
    /// Those of a language by its code; each one that is missing is a part of one fault.
    pub(crate) fn read(
        code: &str,
        kind: Kind,
        at: Span,
        prompts: &Prompts,
        faults: &mut Faults<'_>,
    ) -> Option<Self> {
        let Some(language) = Language::of(code) else {
            let known = Language::ALL.map(Language::code).join(", ");
            faults.hinted(at, format!("`say` does not speak `{code}`"), format!("it speaks {known}"));
            return None;
        };
        let (mut files, mut missing) = (HashMap::new(), Vec::new());
        for word in spoken::inventory(kind, language) {
            let name = word.to_string();
            match prompts.word(&name) {
                Some(file) => drop(files.insert(word.name.clone(), Arc::clone(file))),
                None => missing.push(name),
            }
        }
        if let Some(first) = missing.first() {
            let others = match missing.len() - 1 {
                0 => String::new(),
                others => format!(" and {others} more that `say` needs"),
            };
            let hint = format!("put it at {}", prompts.place(first));
            faults.hinted(at, format!("there is no prompt `{first}`{others}"), hint);
        }
        Some(Self { language, files })
    }

    /// The files that say something, in their order; `None` if it cannot be said.
    pub(crate) fn files(&self, what: &What<'_>) -> Option<Vec<Arc<str>>> {
        let said = spoken::say(what, self.language).ok()?;
        said.iter().map(|word| self.files.get(&word.name).cloned()).collect()
    }
}
