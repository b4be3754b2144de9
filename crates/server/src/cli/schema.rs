//! `schema`.

use super::Failed;
use super::output::print;

pub(super) fn schema() -> Result<(), Failed> {
    print(dialplan::CLIENT_SCHEMA)
}
