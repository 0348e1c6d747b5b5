//! What a fake issuer answers.

use std::time::Duration;

/// How a [`FakeIssuer`](super::FakeIssuer) answers when it is asked for its keys, or for its discovery document.
///
/// ```
/// use tower_lambda_authorizer::testing::{FakeAnswer, FakeIssuer};
///
/// let issuer = FakeIssuer::start()?;
/// issuer.answer_with(FakeAnswer::status(503));
/// issuer.answer_with(FakeAnswer::usual().truncated());
/// issuer.answer_with(FakeAnswer::body("<html>Sign in</html>").with_content_type("text/html"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct FakeAnswer {
    pub(super) status: u16,
    pub(super) content_type: String,
    pub(super) location: Option<String>,
    /// Nothing stands for the document that was asked for.
    pub(super) body: Option<Vec<u8>>,
    pub(super) length: Length,
    pub(super) head_delay: Duration,
    pub(super) byte_delay: Duration,
}

/// What an answer says about its own length, and what then comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    /// The truth.
    Exact,
    /// Nothing: the body ends with the connection.
    Unsaid,
    /// A number of bytes, which may be wrong.
    Said(usize),
    /// The truth, and then half of the body.
    Truncated,
    /// Nothing, and the body never ends.
    Endless,
}

impl FakeAnswer {
    /// The document that was asked for, with 200.
    #[must_use]
    pub fn usual() -> Self {
        Self {
            status: 200,
            content_type: "application/json".into(),
            location: None,
            body: None,
            length: Length::Exact,
            head_delay: Duration::ZERO,
            byte_delay: Duration::ZERO,
        }
    }

    /// The document that was asked for, with another status.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self { status, ..Self::usual() }
    }

    /// This body, with 200.
    #[must_use]
    pub fn body(body: impl Into<Vec<u8>>) -> Self {
        Self { body: Some(body.into()), ..Self::usual() }
    }

    /// A redirect (302) to `location`.
    #[must_use]
    pub fn redirect(location: impl Into<String>) -> Self {
        Self { location: Some(location.into()), ..Self::status(302) }
    }

    /// A body of spaces, without a length, that goes on until the client goes away.
    #[must_use]
    pub fn endless() -> Self {
        Self { length: Length::Endless, ..Self::body(Vec::new()) }
    }

    /// Another content type than `application/json`.
    #[must_use]
    pub fn with_content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = content_type.into();
        self
    }

    /// A `content-length` that may be wrong.
    #[must_use]
    pub const fn with_content_length(mut self, length: usize) -> Self {
        self.length = Length::Said(length);
        self
    }

    /// No `content-length`: the body ends with the connection.
    #[must_use]
    pub const fn without_content_length(mut self) -> Self {
        self.length = Length::Unsaid;
        self
    }

    /// The right `content-length`, and half of the body.
    #[must_use]
    pub const fn truncated(mut self) -> Self {
        self.length = Length::Truncated;
        self
    }

    /// A pause before the first byte. To have an answer wait for your test rather than for a clock, use
    /// [`FakeIssuer::hold`](super::FakeIssuer::hold).
    #[must_use]
    pub const fn with_delay(mut self, delay: Duration) -> Self {
        self.head_delay = delay;
        self
    }

    /// A pause before each byte of the body.
    #[must_use]
    pub const fn dribbled(mut self, pause: Duration) -> Self {
        self.byte_delay = pause;
        self
    }
}

impl Default for FakeAnswer {
    fn default() -> Self {
        Self::usual()
    }
}
