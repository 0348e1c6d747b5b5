//! What conditions can know about a request.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use http::header::{REFERER, USER_AGENT};
use http::{HeaderName, Request};

use super::gateway::Gateway;
use crate::clock::Now;
use crate::policy::{ConditionContext, ConditionKey, ConditionValue};

/// The longest header that conditions look at, in bytes.
const MAX_HEADER: usize = 8 * 1024;

/// The condition keys of one request. A key is looked at only when a statement asks for it; the clock is read,
/// and the address found, at most once.
pub(crate) struct RequestContext<'a, B> {
    gateway: &'a Gateway,
    request: &'a Request<B>,
    now: OnceCell<Now>,
    source_ip: OnceCell<Option<IpAddr>>,
}

impl<'a, B> RequestContext<'a, B> {
    pub(crate) fn new(gateway: &'a Gateway, request: &'a Request<B>, now: Option<Now>) -> Self {
        let now = now.map(OnceCell::from).unwrap_or_default();
        Self { gateway, request, now, source_ip: OnceCell::new() }
    }

    /// A header that is sent once and is text; several of them may mean anything. One that is longer than any browser
    /// sends is not compared with patterns.
    fn header(&self, name: HeaderName) -> ConditionValue<'_> {
        let mut values = self.request.headers().get_all(name).iter();
        match (values.next(), values.next()) {
            (None, _) => ConditionValue::Absent,
            (Some(value), None) if value.len() > MAX_HEADER => ConditionValue::Unavailable,
            (Some(value), None) => match std::str::from_utf8(value.as_bytes()) {
                Ok(text) => ConditionValue::Text(Cow::Borrowed(text)),
                Err(_) => ConditionValue::Unavailable,
            },
            (Some(_), Some(_)) => ConditionValue::Unavailable,
        }
    }
}

impl<B> ConditionContext for RequestContext<'_, B> {
    fn value(&self, key: &ConditionKey) -> ConditionValue<'_> {
        match key {
            ConditionKey::SourceIp => {
                match self.source_ip.get_or_init(|| self.gateway.source_ip(self.request)) {
                    Some(address) => ConditionValue::Ip(*address),
                    None => ConditionValue::Unavailable,
                }
            }
            ConditionKey::UserAgent => self.header(USER_AGENT),
            ConditionKey::Referer => self.header(REFERER),
            ConditionKey::CurrentTime | ConditionKey::EpochTime => {
                let now = self.now.get_or_init(|| self.gateway.watch.now());
                // Whole seconds, whatever they are compared as.
                match SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(now.wall.as_secs())) {
                    Some(time) => ConditionValue::Time(time),
                    None => ConditionValue::Unavailable,
                }
            }
            ConditionKey::SecureTransport => match self.gateway.secure_transport {
                Some(secure) => ConditionValue::Bool(secure),
                None => ConditionValue::Unavailable,
            },
            ConditionKey::RequestedRegion => {
                ConditionValue::Text(Cow::Borrowed(self.gateway.stage.arn().region()))
            }
            _ => match &self.gateway.condition_keys {
                Some(find) => find(key, self.request.extensions()),
                None => ConditionValue::Absent,
            },
        }
    }
}
