//! Where a webhook has come to, and what was put by: files of the state directory.

use super::send::Delivery;
use crate::private;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The files of one webhook.
pub(super) struct Place {
    folder: PathBuf,
    /// The number of the last event that it has been told.
    told: PathBuf,
    /// What was put by, a delivery a line.
    put_by: PathBuf,
    /// What was put by and is to be sent again.
    again: PathBuf,
}

impl Place {
    pub(super) fn new(folder: &Path, client: &str, name: &str) -> Self {
        // A stroke is in no name of a folder or webhook, and two full stops in none of a webhook.
        let file = |what: &str| folder.join(format!("{client}..{name}.{what}"));
        Self { folder: folder.to_owned(), told: file("told"), put_by: file("put-by"), again: file("again") }
    }

    /// Where it has come to; `None` if it is new.
    pub(super) fn told(&self) -> io::Result<Option<u64>> {
        let text = read(&self.told)?;
        if text.is_empty() {
            return Ok(None);
        }
        let number = text.trim().parse().map_err(|_| {
            let error =
                format!("{} is damaged: remove it to begin with what happens next", self.told.display());
            io::Error::other(error)
        });
        number.map(Some)
    }

    pub(super) fn keep(&self, told: u64) -> io::Result<()> {
        self.make_folder()?;
        private::write(&self.told, format!("{told}\n").as_bytes())
    }

    pub(super) fn put_by(&self, delivery: &Delivery) -> io::Result<()> {
        self.make_folder()?;
        append(&self.put_by, delivery)
    }

    pub(super) fn count_put_by(&self) -> u64 {
        read(&self.put_by).map_or(0, |text| text.lines().count() as u64)
    }

    /// What was put by is to be sent again.
    pub(super) fn take_up_again(&self) -> io::Result<u64> {
        let text = read(&self.put_by)?;
        let before = read(&self.again)?;
        if !text.is_empty() {
            private::write(&self.again, (before + &text).as_bytes())?;
            fs::remove_file(&self.put_by)?;
        }
        Ok(text.lines().count() as u64)
    }

    /// What is to be sent again, in its order.
    pub(super) fn again(&self) -> io::Result<Vec<Delivery>> {
        deliveries(&self.again)
    }

    pub(super) fn forget_again(&self, delivery: &Delivery) -> io::Result<()> {
        let left: Vec<_> = self.again()?.into_iter().filter(|other| other != delivery).collect();
        if left.is_empty() {
            return fs::remove_file(&self.again);
        }
        let lines: Vec<_> = left.iter().map(line).collect();
        private::write(&self.again, lines.concat().as_bytes())
    }

    fn make_folder(&self) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)
    }
}

/// Nothing if there is no such file.
fn read(path: &Path) -> io::Result<String> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        read => read,
    }
}

fn line(delivery: &Delivery) -> String {
    serde_json::to_string(delivery).expect("a delivery is plain data: it has a JSON form") + "\n"
}

fn append(path: &Path, delivery: &Delivery) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
    file.write_all(line(delivery).as_bytes())?;
    file.sync_all()
}

fn deliveries(path: &Path) -> io::Result<Vec<Delivery>> {
    let damaged = |error| io::Error::other(format!("{} is damaged: {error}", path.display()));
    read(path)?.lines().map(|line| serde_json::from_str(line).map_err(damaged)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_by_is_taken_up_again_in_its_order_and_forgotten_one_by_one() {
        let home = tempfile::tempdir().expect("a folder");
        let place = Place::new(&home.path().join("webhooks"), "acme", "crm");
        assert_eq!((place.told().expect("read"), place.count_put_by()), (None, 0));
        place.keep(17).expect("written");
        let deliveries = [1, 2].map(|told| Delivery::new(("acme", "crm"), &["{\"seq\":1}"], told));
        for delivery in &deliveries {
            place.put_by(delivery).expect("written");
        }
        let again = Place::new(&home.path().join("webhooks"), "acme", "crm");
        assert_eq!((again.told().expect("read"), again.count_put_by()), (Some(17), 2));
        assert_eq!(again.take_up_again().expect("taken"), 2);
        assert_eq!((again.count_put_by(), again.again().expect("read")), (0, deliveries.to_vec()));
        again.forget_again(&deliveries[0]).expect("written");
        assert_eq!(again.again().expect("read"), deliveries[1..]);
        again.forget_again(&deliveries[1]).expect("written");
        assert_eq!(again.again().expect("read"), []);
        assert_eq!(again.take_up_again().expect("nothing is there"), 0);
    }

    #[test]
    fn a_damaged_place_is_told_and_not_taken_for_the_beginning() {
        let home = tempfile::tempdir().expect("a folder");
        let place = Place::new(home.path(), "acme", "crm");
        fs::write(home.path().join("acme..crm.told"), "x").expect("written");
        assert!(place.told().expect_err("damaged").to_string().contains("remove it"));
    }
}
