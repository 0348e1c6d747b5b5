use std::borrow::Cow;
use std::net::IpAddr;
use std::time::SystemTime;

/// Where the values of condition keys come from.
///
/// It is asked only for keys that a statement names, and only when the rest of that statement matches.
///
/// ```
/// use tower_lambda_authorizer::policy::{ConditionContext, ConditionKey, ConditionValue};
///
/// struct Tenant(String);
///
/// impl ConditionContext for Tenant {
///     fn value(&self, key: &ConditionKey) -> ConditionValue<'_> {
///         match key {
///             ConditionKey::Other(name) if &**name == "app:tenant" => ConditionValue::from(self.0.as_str()),
///             _ => ConditionValue::Absent,
///         }
///     }
/// }
/// ```
pub trait ConditionContext {
    /// The value of `key` for the request at hand.
    fn value(&self, key: &ConditionKey) -> ConditionValue<'_>;
}

/// A context in which every key is absent.
#[derive(Clone, Copy, Debug)]
pub(super) struct NoContext;

impl ConditionContext for NoContext {
    fn value(&self, _: &ConditionKey) -> ConditionValue<'_> {
        ConditionValue::Absent
    }
}

/// The name of a condition key. Case does not count in names.
///
/// ```
/// use tower_lambda_authorizer::policy::ConditionKey;
///
/// assert_eq!(ConditionKey::from("AWS:sourceip"), ConditionKey::SourceIp);
/// assert_eq!(ConditionKey::from("App:Tenant"), ConditionKey::Other("app:tenant".into()));
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ConditionKey {
    /// `aws:CurrentTime`: when the request is decided.
    CurrentTime,
    /// `aws:EpochTime`: the same in seconds since 1970.
    EpochTime,
    /// `aws:Referer`: the header of that name.
    Referer,
    /// `aws:RequestedRegion`: the region of the API.
    RequestedRegion,
    /// `aws:SecureTransport`: whether the request came over TLS.
    SecureTransport,
    /// `aws:SourceArn`.
    SourceArn,
    /// `aws:SourceIp`: the client's address.
    SourceIp,
    /// `aws:SourceVpc`: private APIs only.
    SourceVpc,
    /// `aws:SourceVpce`: private APIs only.
    SourceVpce,
    /// `aws:UserAgent`: the header of that name.
    UserAgent,
    /// `execute-api:viaDomainArn`: custom domains of private APIs only.
    ViaDomainArn,
    /// `aws:VpcSourceIp`: private APIs only.
    VpcSourceIp,
    /// Any other key, in lower case.
    Other(Box<str>),
}

impl ConditionKey {
    const NAMED: [(&'static str, Self); 12] = [
        ("aws:CurrentTime", Self::CurrentTime),
        ("aws:EpochTime", Self::EpochTime),
        ("aws:Referer", Self::Referer),
        ("aws:RequestedRegion", Self::RequestedRegion),
        ("aws:SecureTransport", Self::SecureTransport),
        ("aws:SourceArn", Self::SourceArn),
        ("aws:SourceIp", Self::SourceIp),
        ("aws:SourceVpc", Self::SourceVpc),
        ("aws:SourceVpce", Self::SourceVpce),
        ("aws:UserAgent", Self::UserAgent),
        ("execute-api:viaDomainArn", Self::ViaDomainArn),
        ("aws:VpcSourceIp", Self::VpcSourceIp),
    ];

    /// The usual spelling of the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        if let Self::Other(name) = self {
            return name;
        }
        Self::NAMED.iter().find(|(_, key)| key == self).map_or("", |(name, _)| name)
    }
}

impl From<&str> for ConditionKey {
    fn from(name: &str) -> Self {
        for (known, key) in Self::NAMED {
            if known.eq_ignore_ascii_case(name) {
                return key;
            }
        }
        Self::Other(name.to_lowercase().into_boxed_str())
    }
}

/// What is known about a condition key.
///
/// The types are those in which values arrive: an address is not formatted only to be parsed again.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ConditionValue<'a> {
    /// The request really does not have it.
    Absent,
    /// True or false.
    Bool(bool),
    /// An address.
    Ip(IpAddr),
    /// A whole number.
    Number(i64),
    /// Text, which every operator can read.
    Text(Cow<'a, str>),
    /// The values of a key that has several.
    Texts(Cow<'a, [String]>),
    /// A moment.
    Time(SystemTime),
    /// The request may have it, but it is not known: no operator can say anything about it, and a `Deny` that depends
    /// on it is never skipped.
    Unavailable,
}

impl<'a> From<&'a str> for ConditionValue<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for ConditionValue<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl<'a> From<&'a [String]> for ConditionValue<'a> {
    fn from(texts: &'a [String]) -> Self {
        Self::Texts(Cow::Borrowed(texts))
    }
}

impl From<bool> for ConditionValue<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<IpAddr> for ConditionValue<'_> {
    fn from(address: IpAddr) -> Self {
        Self::Ip(address)
    }
}

impl From<i64> for ConditionValue<'_> {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<SystemTime> for ConditionValue<'_> {
    fn from(time: SystemTime) -> Self {
        Self::Time(time)
    }
}

#[cfg(test)]
mod tests {
    use super::ConditionKey;

    #[test]
    fn every_named_key_is_found_by_its_name() {
        for (name, key) in ConditionKey::NAMED {
            assert_eq!(ConditionKey::from(name.to_uppercase().as_str()), key);
            assert_eq!(key.as_str(), name);
        }
    }
}
