//! Which file a prompt is, by language.

use crate::PromptFile;
use crate::faults::{Faults, Span, nearest};
use std::collections::HashMap;
use std::sync::Arc;

/// A client's prompts and those of the system, and the languages that its calls may be in.
pub(crate) struct Prompts {
    own: HashMap<String, Arc<str>>,
    system: HashMap<String, Arc<str>>,
    /// The client's first.
    pub(crate) languages: Vec<Arc<str>>,
    /// Where the client keeps its own.
    folder: String,
}

impl Prompts {
    pub(crate) fn new(
        own: &[PromptFile],
        system: &[PromptFile],
        languages: Vec<Arc<str>>,
        folder: String,
    ) -> Self {
        Self { own: by_name(own), system: by_name(system), languages, folder }
    }

    /// What a call in that language hears: the client's own in that language, its own for all languages, the system's in that
    /// language, and the system's for all.
    pub(crate) fn file(&self, language: &str, name: &str) -> Option<&Arc<str>> {
        let special = format!("{language}/{name}");
        [&self.own, &self.system].into_iter().find_map(|set| set.get(&special).or_else(|| set.get(name)))
    }

    /// The languages that a prompt is there for, each with its file; the first that it is not there for is the error.
    pub(crate) fn files<'s>(&'s self, name: &str) -> Result<Vec<Arc<str>>, &'s Arc<str>> {
        let file = |language: &'s Arc<str>| self.file(language, name).cloned().ok_or(language);
        self.languages.iter().map(file).collect()
    }

    /// The files of a prompt by language; one that there is not is a fault.
    pub(crate) fn named(&self, name: &str, at: Span, faults: &mut Faults<'_>) -> Option<Vec<Arc<str>>> {
        let lacking = match self.files(name) {
            Ok(files) => return Some(files),
            Err(language) => language,
        };
        let elsewhere = self.languages.iter().any(|other| self.file(other, name).is_some());
        let (of, hint) = if elsewhere {
            let place = self.place(&format!("{lacking}/{name}"));
            (format!(" in `{lacking}`"), format!("put it at {place}"))
        } else {
            (String::new(), self.hint(name))
        };
        faults.hinted(at, format!("there is no prompt `{name}`{of}"), hint);
        None
    }

    /// A recording of [`spoken`], `de/20`.
    pub(crate) fn word(&self, name: &str) -> Option<&Arc<str>> {
        self.own.get(name).or_else(|| self.system.get(name))
    }

    /// Where a prompt of that name belongs.
    pub(crate) fn place(&self, name: &str) -> String {
        format!("{}/{name}.wav", self.folder)
    }

    /// What to do about a prompt that is there in no language.
    pub(crate) fn hint(&self, name: &str) -> String {
        if let Some(bare) = name.strip_suffix(".wav").filter(|bare| self.files(bare).is_ok()) {
            return format!("write `{bare}`");
        }
        let all = self.own.keys().chain(self.system.keys());
        let known = all.filter(|known| self.files(known).is_ok()).map(String::as_str);
        match nearest(name, known) {
            Some(known) => format!("did you mean `{known}`?"),
            None => format!("put it at {}", self.place(name)),
        }
    }
}

fn by_name(files: &[PromptFile]) -> HashMap<String, Arc<str>> {
    files.iter().map(|file| (file.name.clone(), file.path.as_str().into())).collect()
}
