//! The pkt-line framing of Git's protocol over a stream of byte chunks.

use bytes::{Buf as _, Bytes, BytesMut};

use crate::GitError;
use crate::session::ByteStream;

/// One packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Packet {
    /// `0000`.
    Flush,
    /// Anything with content.
    Data(Bytes),
}

/// Cuts a stream into packets; never buffers more than one packet and one chunk.
pub(crate) struct Packets {
    stream: ByteStream,
    buffer: BytesMut,
    received: u64,
    limit: u64,
    what: &'static str,
}

impl Packets {
    /// Reads at most `limit` bytes of `what`.
    pub(crate) fn new(stream: ByteStream, what: &'static str, limit: u64) -> Self {
        Self { stream, buffer: BytesMut::new(), received: 0, limit, what }
    }

    /// Gives the stream back, with another bound for what follows. Nothing may be buffered.
    pub(crate) fn into_stream(self) -> ByteStream {
        self.stream
    }

    /// The next packet; an error when the stream ends.
    pub(crate) async fn next(&mut self) -> Result<Packet, GitError> {
        let prefix = self.need(4).await?;
        let length = std::str::from_utf8(&prefix)
            .ok()
            .and_then(|digits| usize::from_str_radix(digits, 16).ok())
            .ok_or_else(|| GitError::Protocol("a packet has no length".to_owned()))?;
        match length {
            0 => Ok(Packet::Flush),
            1..=3 => Err(GitError::Protocol(format!("a packet has the length {length}"))),
            _ => {
                let data = self.need(length - 4).await?;
                match data.strip_prefix(b"ERR ") {
                    Some(message) => Err(GitError::Remote(printable(message))),
                    None => Ok(Packet::Data(data)),
                }
            }
        }
    }

    async fn need(&mut self, count: usize) -> Result<Bytes, GitError> {
        while self.buffer.remaining() < count {
            let chunk =
                self.stream.chunk().await?.ok_or_else(|| GitError::Protocol("the answer ends early".to_owned()))?;
            self.received += chunk.len() as u64;
            if self.received > self.limit {
                return Err(GitError::TooLarge { what: self.what.to_owned(), limit: self.limit });
            }
            self.buffer.extend_from_slice(&chunk);
        }
        Ok(self.buffer.split_to(count).freeze())
    }
}

/// Frames one line.
pub(crate) fn line(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("{:04x}{text}", text.len() + 4).as_bytes());
}

/// `0000`.
pub(crate) const FLUSH: &[u8] = b"0000";

/// A server's message, fit for a condition.
pub(crate) fn printable(message: &[u8]) -> String {
    let text = String::from_utf8_lossy(message.get(..message.len().min(1000)).unwrap_or_default());
    let clean: String =
        text.trim().chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
    common::url::mask_text(&clean)
}
