//! Whether the certificate that the node shows is still good.

use super::inbox::{Gone, Message, Sender};
use crate::tls::Shown;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

/// An alarm at once and every day, as long as there is something to say.
pub(super) async fn watch(shown: Arc<Shown>, inbox: Sender) {
    // Nobody reads the inbox when the node is on its way down.
    while tell(&shown, &inbox).await.is_ok() {
        tokio::time::sleep(DAY).await;
    }
}

/// An alarm if there is something to say.
pub(super) async fn tell(shown: &Shown, inbox: &Sender) -> Result<(), Gone> {
    match shown.warning(Timestamp::now()) {
        Some(warning) => inbox.send(Message::Alarm(warning)).await,
        None => Ok(()),
    }
}
