//! Whether the certificate that the node shows is still good.

use super::inbox::{Message, Sender};
use crate::tls::Shown;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

/// An alarm at once and every day, as long as there is something to say.
pub(super) async fn watch(shown: Arc<Shown>, inbox: Sender) {
    loop {
        if let Some(warning) = shown.warning(Timestamp::now())
            && inbox.send(Message::Alarm(warning)).await.is_err()
        {
            // The node is on its way down.
            return;
        }
        tokio::time::sleep(DAY).await;
    }
}
