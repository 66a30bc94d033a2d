//! Writing the message, beside the intent that has to be durable before it may be ended.

use std::pin::pin;
use std::time::Duration;

use super::dot_stuffing::DotStuffing;
use super::stream::Stream;
use crate::domain::outcome::Trouble;

/// Writes the message and awaits the intent, both at once. An intent once begun is awaited to its end even if the writing
/// fails, so that the ledger is never left between two states; nothing more is written once the intent has failed.
pub(super) async fn write_beside<I>(
    stream: &mut Stream,
    bytes: &[u8],
    within: Duration,
    intent: I,
) -> Result<(), Trouble>
where
    I: Future<Output = bool> + Send,
{
    let mut intent = pin!(intent);
    let mut writing = pin!(write_message(stream, bytes, within));
    let (intended, written) = tokio::select! {
        biased;
        written = &mut writing => (intent.await, written),
        intended = &mut intent => (intended, if intended { writing.await } else { Ok(()) }),
    };
    if intended { written } else { Err(Trouble::NoIntent) }
}

async fn write_message(stream: &mut Stream, bytes: &[u8], within: Duration) -> Result<(), Trouble> {
    let mut stuffing = DotStuffing::new(bytes);
    let mut block = Vec::new();
    while stuffing.next_block(&mut block) {
        stream.send_block(&block, within).await?;
    }
    Ok(())
}
