//! Where the caller's identity stands in a request.

use std::borrow::Cow;

use http::header::{COOKIE, HeaderMap, HeaderName};

use super::query;
use super::stage::ApiStage;

/// The longest identity value that is read, in bytes.
const MAX_VALUE: usize = 8 * 1024;

/// One place of a request that identifies the caller.
///
/// The values of all identity sources together are what an answer is cached under, so they must be everything by
/// which the authorizer tells callers apart.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct IdentitySource(Place);

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Place {
    Header(HeaderName),
    QueryString(Box<str>),
    StageVariable(Box<str>),
}

impl IdentitySource {
    /// A header: `method.request.header.NAME`. Names ignore case.
    #[must_use]
    pub fn header(name: HeaderName) -> Self {
        Self(Place::Header(name))
    }

    /// A query parameter: `method.request.querystring.NAME`. Names are case-sensitive.
    #[must_use]
    pub fn query_string(name: impl Into<Box<str>>) -> Self {
        Self(Place::QueryString(name.into()))
    }

    /// A variable of the stage: `stageVariables.NAME`. It must be set where the layer is built.
    #[must_use]
    pub fn stage_variable(name: impl Into<Box<str>>) -> Self {
        Self(Place::StageVariable(name.into()))
    }

    /// The value in this request, if there is exactly one and it is text.
    pub(crate) fn resolve<'a>(
        &self,
        stage: &'a ApiStage,
        headers: &'a HeaderMap,
        query: Option<&'a str>,
    ) -> Result<Cow<'a, str>, IdentityError> {
        let value = match &self.0 {
            Place::Header(name) => header_value(headers, name)?,
            Place::QueryString(name) => query_value(query.unwrap_or_default(), name)?,
            Place::StageVariable(name) => stage.stage_variable(name).map(Cow::Borrowed),
        };
        match value {
            None => Err(IdentityError::Missing),
            Some(value) if value.is_empty() => Err(IdentityError::Missing),
            Some(value) if value.len() > MAX_VALUE => Err(IdentityError::TooLong),
            Some(value) => Ok(value),
        }
    }

    /// The stage variable this names, if it names one that `stage` has not.
    pub(crate) fn unknown_stage_variable(&self, stage: &ApiStage) -> Option<&str> {
        match &self.0 {
            Place::StageVariable(name) if stage.stage_variable(name).is_none_or(str::is_empty) => Some(name),
            _ => None,
        }
    }

    pub(crate) fn is_header(&self) -> bool {
        matches!(self.0, Place::Header(_))
    }

    /// Whether the value comes from the client.
    pub(crate) fn is_of_request(&self) -> bool {
        !matches!(self.0, Place::StageVariable(_))
    }
}

impl std::fmt::Display for IdentitySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Place::Header(name) => write!(f, "method.request.header.{name}"),
            Place::QueryString(name) => write!(f, "method.request.querystring.{name}"),
            Place::StageVariable(name) => write!(f, "stageVariables.{name}"),
        }
    }
}

/// Why a request has no usable value in an identity source.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum IdentityError {
    /// Absent or empty.
    Missing,
    /// There more than once: two programs may read two different values.
    Repeated,
    /// Not printable ASCII in a header, not UTF-8 or with control characters in a query.
    NotText,
    TooLong,
}

impl IdentityError {
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Missing => "is missing or empty",
            Self::Repeated => "is there more than once",
            Self::NotText => "is not plain text",
            Self::TooLong => "is longer than 8 KiB",
        }
    }
}

fn header_value<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<Option<Cow<'a, str>>, IdentityError> {
    let mut values = headers.get_all(name).iter();
    let Some(first) = values.next() else { return Ok(None) };
    let first = text(first.as_bytes())?;
    let Some(second) = values.next() else { return Ok(Some(Cow::Borrowed(first))) };
    // HTTP/2 clients may split the cookie header; it is one value for all that.
    if *name != COOKIE {
        return Err(IdentityError::Repeated);
    }
    let mut joined = first.to_owned();
    for value in std::iter::once(second).chain(values) {
        joined.push_str("; ");
        joined.push_str(text(value.as_bytes())?);
        if joined.len() > MAX_VALUE {
            return Err(IdentityError::TooLong);
        }
    }
    Ok(Some(Cow::Owned(joined)))
}

fn text(bytes: &[u8]) -> Result<&str, IdentityError> {
    // Folding without an early exit lets the compiler look at sixteen bytes at a time.
    let plain = bytes.iter().fold(true, |plain, byte| plain & matches!(byte, 0x20..=0x7E));
    if !plain {
        return Err(IdentityError::NotText);
    }
    std::str::from_utf8(bytes).map_err(|_| IdentityError::NotText)
}

fn query_value<'a>(query: &'a str, name: &str) -> Result<Option<Cow<'a, str>>, IdentityError> {
    let mut found = None;
    for (raw_name, raw_value) in query::pairs(query) {
        // A name that is not UTF-8 is nobody's name.
        if query::decode(raw_name).is_none_or(|decoded| decoded != name) {
            continue;
        }
        if found.is_some() {
            return Err(IdentityError::Repeated);
        }
        if raw_value.len() > MAX_VALUE * 3 {
            return Err(IdentityError::TooLong);
        }
        let value = query::decode(raw_value).ok_or(IdentityError::NotText)?;
        if value.chars().any(char::is_control) {
            return Err(IdentityError::NotText);
        }
        found = Some(value);
    }
    Ok(found)
}

/// The values of one request's identity sources, in the order of the sources.
///
/// The first is kept apart, so that the common case of a single source needs no list.
#[derive(Clone, Default)]
pub(crate) struct Identity<'a> {
    first: Option<Cow<'a, str>>,
    rest: Vec<Cow<'a, str>>,
}

impl<'a> Identity<'a> {
    pub(crate) fn push(&mut self, value: Cow<'a, str>) {
        match &self.first {
            None => self.first = Some(value),
            Some(_) => self.rest.push(value),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.first.iter().chain(&self.rest).map(|value| &**value)
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::AUTHORIZATION;

    use super::*;

    fn stage() -> ApiStage {
        ApiStage::rest("us-east-1", "123456789012", "abcdef123", "prod")
            .and_then(|stage| stage.with_stage_variable("v", "1"))
            .unwrap()
    }

    #[track_caller]
    fn header(values: &[&[u8]]) -> Result<String, IdentityError> {
        named_header(AUTHORIZATION, values)
    }

    fn named_header(name: HeaderName, values: &[&[u8]]) -> Result<String, IdentityError> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(&name, HeaderValue::from_bytes(value).unwrap());
        }
        IdentitySource::header(name).resolve(&stage(), &headers, None).map(Cow::into_owned)
    }

    fn query(query: &str) -> Result<String, IdentityError> {
        let headers = HeaderMap::new();
        IdentitySource::query_string("k").resolve(&stage(), &headers, Some(query)).map(Cow::into_owned)
    }

    #[test]
    fn a_header_is_there_once_and_is_printable() {
        assert_eq!(header(&[b"Bearer x"]).as_deref(), Ok("Bearer x"));
        assert_eq!(header(&[]), Err(IdentityError::Missing));
        assert_eq!(header(&[b""]), Err(IdentityError::Missing));
        assert_eq!(header(&[b"a", b"b"]), Err(IdentityError::Repeated));
        assert_eq!(header(&[b"a", b"a"]), Err(IdentityError::Repeated));
        assert_eq!(header(&[b"", b"a"]), Err(IdentityError::Repeated));
        assert_eq!(header(&["é".as_bytes()]), Err(IdentityError::NotText));
        assert_eq!(header(&[b"a\tb"]), Err(IdentityError::NotText));
        assert_eq!(header(&[&[b'a'; 8192]]).map(|value| value.len()), Ok(8192));
        assert_eq!(header(&[&[b'a'; 8193]]), Err(IdentityError::TooLong));
    }

    #[test]
    fn cookie_fields_are_one_value() {
        assert_eq!(named_header(COOKIE, &[b"a=1", b"b=2"]).as_deref(), Ok("a=1; b=2"));
        assert_eq!(named_header(COOKIE, &[&[b'a'; 8000], &[b'b'; 8000]]), Err(IdentityError::TooLong));
    }

    #[test]
    fn a_query_parameter_is_there_once_and_is_text() {
        assert_eq!(query("k=v").as_deref(), Ok("v"));
        assert_eq!(query("a=b&%6b=%76+w%2B&c").as_deref(), Ok("v w+"));
        assert_eq!(query(""), Err(IdentityError::Missing));
        assert_eq!(query("K=v"), Err(IdentityError::Missing));
        assert_eq!(query("k="), Err(IdentityError::Missing));
        assert_eq!(query("k"), Err(IdentityError::Missing));
        assert_eq!(query("k=1&k=2"), Err(IdentityError::Repeated));
        assert_eq!(query("k=1&%6B=1"), Err(IdentityError::Repeated));
        assert_eq!(query("k=%ff"), Err(IdentityError::NotText));
        assert_eq!(query("k=%00"), Err(IdentityError::NotText));
        assert_eq!(query("%ff=1&k=%c3%a9").as_deref(), Ok("é"));
    }

    #[test]
    fn a_stage_variable_comes_from_configuration() {
        let headers = HeaderMap::new();
        let source = IdentitySource::stage_variable("v");
        assert_eq!(source.resolve(&stage(), &headers, None).as_deref(), Ok("1"));
        assert_eq!(IdentitySource::stage_variable("V").unknown_stage_variable(&stage()), Some("V"));
    }
}
