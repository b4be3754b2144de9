use crate::{Event, Kind};

/// Longer paths are shortened.
pub(super) const LONG_PATH: usize = 32;

/// How the files of the flow's steps are named: long paths lose what they have in common.
pub(super) struct Files<'a> {
    folder: Option<&'a str>,
}

impl<'a> Files<'a> {
    pub(super) fn new(events: &'a [Event]) -> Self {
        let files = || {
            events.iter().filter_map(|event| match &event.kind {
                Kind::FlowStep { file, .. } => Some(&**file),
                _ => None,
            })
        };
        if files().all(|file| file.len() <= LONG_PATH) {
            return Self { folder: None };
        }
        let common = files().map(parent).reduce(common_folder).unwrap_or("");
        // The last folder stays with the file: it is the client's name.
        Self { folder: Some(parent(common.trim_end_matches('/'))).filter(|folder| !folder.is_empty()) }
    }

    /// What the names begin with and do not show.
    pub(super) fn folder(&self) -> Option<&'a str> {
        self.folder
    }

    pub(super) fn short<'f>(&self, file: &'f str) -> &'f str {
        self.folder.and_then(|folder| file.strip_prefix(folder)).unwrap_or(file)
    }
}

/// A path up to its last `/`, with it; empty if it has none.
fn parent(path: &str) -> &str {
    path.rfind('/').map_or("", |slash| &path[..=slash])
}

/// What two folders have in common, in whole names.
fn common_folder<'a>(one: &'a str, other: &str) -> &'a str {
    let names = one.split_inclusive('/').zip(other.split_inclusive('/'));
    let length = names.take_while(|(a, b)| a == b).map(|(a, _)| a.len()).sum();
    &one[..length]
}

#[cfg(test)]
mod tests {
    use super::*;
    use clock::Time;

    fn steps(files: &[&str]) -> Vec<Event> {
        let step = |file: &&str| Event {
            seq: 1,
            at: Time::ZERO,
            contact: None,
            kind: Kind::FlowStep {
                flow: "main".into(),
                step: "answer".into(),
                file: (*file).into(),
                line: 1,
            },
        };
        files.iter().map(step).collect()
    }

    #[test]
    fn long_paths_keep_their_folder_and_name() {
        let files = ["/var/lib/ringdown/dialplans/acme/main.yaml", "/var/lib/ringdown/dialplans/acme/x.yaml"];
        let events = steps(&files);
        let names = Files::new(&events);
        assert_eq!(names.folder(), Some("/var/lib/ringdown/dialplans/"));
        assert_eq!(files.map(|file| names.short(file)), ["acme/main.yaml", "acme/x.yaml"]);
    }

    #[test]
    fn paths_with_little_in_common_show_the_rest() {
        let files = ["/var/lib/ringdown/dialplans/acme/main.yaml", "/var/lib/shared/hours.yaml"];
        let events = steps(&files);
        let names = Files::new(&events);
        assert_eq!(names.folder(), Some("/var/"));
        assert_eq!(names.short(files[1]), "lib/shared/hours.yaml");
    }

    #[test]
    fn short_paths_stay_whole() {
        let events = steps(&["dialplans/acme/main.yaml"]);
        assert_eq!(Files::new(&events).folder(), None);
    }
}
