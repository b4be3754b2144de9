//! `serve`.

use super::Failed;
use super::output::print;
use crate::serve::{Options, Server};

pub(super) fn serve(options: Options) -> Result<(), Failed> {
    let server = Server::start(options).map_err(Failed::because)?;
    print("ready\n")?;
    server.run_until_signal().map_err(Failed::because)
}
