//! `prompts/LANGUAGE/texts.yaml` has a text for every word. `UPDATE=1 cargo test -p spoken --test texts` writes those that are
//! missing; what stands there already is left alone, so that a text may be written as the voice reads it best.

use spoken::{Kind, Language, inventory};
use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

fn file(language: Language) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../prompts/{}/texts.yaml", language.code()))
}

/// Names of the entries, which each take a line.
fn names(text: &str) -> HashSet<&str> {
    text.lines().filter_map(|line| Some(line.split_once(": ")?.0.trim_matches('"'))).collect()
}

/// The entry of a word. Numbers and `y` are quoted, since YAML takes them for something else.
fn entry(name: &str, text: &str) -> String {
    match text {
        "" => format!("\"{name}\": {{text: \"\", seconds: 0.2}}\n"),
        text => format!("\"{name}\": \"{text}\"\n"),
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the texts are files, and no shell is there to read them")]
fn every_word_has_a_text_and_a_recording() {
    for language in Language::ALL {
        let path = file(language);
        let mut texts = std::fs::read_to_string(&path).expect("the texts of a language");
        let known = names(&texts);
        let words: BTreeSet<(&str, &str)> = Kind::ALL
            .into_iter()
            .flat_map(|kind| inventory(kind, language))
            .map(|word| (&*word.name, &*word.text))
            .collect();
        let mut missing: Vec<_> = words.iter().filter(|(name, _)| !known.contains(name)).collect();
        missing.dedup_by_key(|(name, _)| *name);
        if std::env::var_os("UPDATE").is_some() {
            texts.extend(missing.iter().map(|(name, text)| entry(name, text)));
            std::fs::write(&path, &texts).expect("the texts are written");
            continue;
        }
        assert!(missing.is_empty(), "{}: {missing:?}", path.display());
        let silent = words.iter().find(|(name, _)| !path.with_file_name(format!("{name}.wav")).is_file());
        assert_eq!(silent, None, "prompts/render prompts/{} has not been run", language.code());
    }
}
