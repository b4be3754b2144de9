//! `serve`.

use super::Failed;
use super::output::print;
use crate::serve::{Options, Server};

pub(super) fn serve(options: Options) -> Result<(), Failed> {
    let server = Server::start(options).map_err(Failed::because)?;
    let tell = || {
        // Nobody reads it then, which standard error has said; the node serves all the same.
        let _ = print("ready\n");
    };
    server.run_until_signal(tell).map_err(Failed::because)
}
