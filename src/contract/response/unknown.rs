//! The members of an answer that nobody knows. They are ignored, and whoever wrote them should be able to find out.

/// How many are named, and how long a name may be, in characters.
#[cfg(feature = "tracing")]
const MAX_NAMES: usize = 8;
#[cfg(feature = "tracing")]
const MAX_NAME: usize = 64;

#[derive(Default)]
pub(super) struct Unknown {
    #[cfg(feature = "tracing")]
    names: Vec<String>,
    #[cfg(feature = "tracing")]
    count: usize,
}

#[cfg(feature = "tracing")]
impl Unknown {
    pub(super) fn note(&mut self, name: &str) {
        self.count += 1;
        if self.names.len() < MAX_NAMES {
            self.names.push(crate::policy::printable(name, MAX_NAME));
        }
    }

    pub(super) fn tell(self) {
        if self.count > 0 {
            tracing::debug!(
                target: crate::telemetry::target::AUTHORIZER,
                count = self.count,
                members = ?self.names,
                "members of the answer are ignored"
            );
        }
    }
}

#[cfg(not(feature = "tracing"))]
impl Unknown {
    pub(super) const fn note(&mut self, _: &str) {}

    pub(super) fn tell(self) {}
}
