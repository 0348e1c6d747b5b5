//! Where the caller's identity stands in a request.

use std::borrow::Cow;
use std::hash::{Hash, Hasher};

use http::header::{COOKIE, HOST, HeaderMap, HeaderName, USER_AGENT};

use super::identity_value::IdentityValue;
use super::query;
use super::stage::ApiStage;
use super::variable::ContextVariable;
use super::view::RequestView;

/// The longest identity value that is read, in bytes.
const MAX_VALUE: usize = 8 * 1024;

/// One place of a request that identifies the caller.
///
/// The values of all identity sources together are what an answer is cached under, so they must be everything by
/// which the authorizer tells callers apart.
///
/// It is read from every spelling that AWS has for it, see [`FromStr`](#impl-FromStr-for-IdentitySource). Which kind
/// of API a spelling comes from does not matter once it is read:
///
/// ```
/// use tower_lambda_authorizer::request::IdentitySource;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let rest: IdentitySource = "method.request.header.X-Api-Key".parse()?;
/// let http: IdentitySource = "$request.header.x-api-key".parse()?;
/// assert_eq!(rest, http);
/// assert!("method.request.path.id".parse::<IdentitySource>().is_err());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct IdentitySource {
    place: Place,
    /// The name of a header as it was written, where that is not how `http` writes it.
    written: Option<Box<str>>,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Place {
    Context(ContextVariable),
    Header(HeaderName),
    QueryString(Box<str>),
    StageVariable(Box<str>),
}

impl IdentitySource {
    /// A header: `method.request.header.NAME`. Names ignore case.
    #[must_use]
    pub fn header(name: HeaderName) -> Self {
        Self::at(Place::Header(name))
    }

    /// A query parameter: `method.request.querystring.NAME`. Names are case-sensitive.
    #[must_use]
    pub fn query_string(name: impl Into<String>) -> Self {
        Self::at(Place::QueryString(name.into().into_boxed_str()))
    }

    /// A variable of the stage: `stageVariables.NAME`. It must be set where the layer is built.
    #[must_use]
    pub fn stage_variable(name: impl Into<String>) -> Self {
        Self::at(Place::StageVariable(name.into().into_boxed_str()))
    }

    /// Something the gateway knows about the request: `context.NAME`.
    #[must_use]
    pub fn context(variable: ContextVariable) -> Self {
        Self::at(Place::Context(variable))
    }

    fn at(place: Place) -> Self {
        Self { place, written: None }
    }

    /// A header whose name is remembered as it was written.
    pub(super) fn header_as_written(name: HeaderName, written: &str) -> Self {
        Self { written: (name.as_str() != written).then(|| written.into()), place: Place::Header(name) }
    }

    /// The name of the header, parameter or variable, as it was configured. A header's name has lost its capitals
    /// if it came as a [`HeaderName`], and has kept them if it was parsed.
    #[must_use]
    pub fn configured_name(&self) -> &str {
        match (&self.written, &self.place) {
            (Some(written), _) => written,
            (None, Place::Context(variable)) => variable.as_str(),
            (None, Place::Header(name)) => name.as_str(),
            (None, Place::QueryString(name) | Place::StageVariable(name)) => name,
        }
    }

    /// The value in this request, if there is exactly one and it is text.
    pub(crate) fn resolve<'a>(&self, view: &RequestView<'a, '_>) -> Result<IdentityValue<'a>, IdentityError> {
        let text = |value: Option<Cow<'a, str>>| value.map(IdentityValue::from);
        let value = match &self.place {
            Place::Context(variable) => variable.identify(view)?,
            Place::Header(name) => match header_value(view.headers, name)? {
                // As in events.
                None if *name == HOST => view.authority().and_then(IdentityValue::printable),
                value => value,
            },
            Place::QueryString(name) => text(query_value(view.query().unwrap_or_default(), name)?),
            Place::StageVariable(name) => text(view.stage.stage_variable(name).map(Cow::Borrowed)),
        };
        match value {
            None => Err(IdentityError::Missing),
            Some(value) if value.as_bytes().is_empty() => Err(IdentityError::Missing),
            Some(value) if value.as_bytes().len() > MAX_VALUE => Err(IdentityError::TooLong),
            Some(value) => Ok(value),
        }
    }

    /// Whether something stands there, if only nothing: an authorizer may tell that from its absence.
    pub(crate) fn is_there(&self, view: &RequestView<'_, '_>) -> bool {
        match &self.place {
            Place::Header(name) => view.headers.contains_key(name),
            Place::QueryString(name) => query::pairs(view.query().unwrap_or_default())
                .any(|(sent, _)| query::decode(sent).is_some_and(|sent| sent == **name)),
            Place::Context(ContextVariable::UserAgent) => view.headers.contains_key(USER_AGENT),
            Place::Context(_) | Place::StageVariable(_) => false,
        }
    }

    /// The value to look for in a cache. Of a header only its bytes are taken: [`resolve`](Self::resolve) looks at each
    /// of them, which for a long token takes as long as to hash it, and what it would refuse is never found. For
    /// whatever is found was stored under a value that it accepted, and the same bytes are as good as they were then.
    #[inline]
    pub(crate) fn peek<'a>(&self, view: &RequestView<'a, '_>) -> Option<IdentityValue<'a>> {
        if let Place::Header(name) = &self.place {
            let mut values = view.headers.get_all(name).iter();
            if let (Some(value), None) = (values.next(), values.next())
                && !value.is_empty()
            {
                return Some(IdentityValue::of_header(value.as_bytes()));
            }
        }
        self.resolve(view).ok()
    }

    /// The stage variable this names, if it names one that `stage` has not.
    pub(crate) fn unknown_stage_variable(&self, stage: &ApiStage) -> Option<&str> {
        match &self.place {
            Place::StageVariable(name) if stage.stage_variable(name).is_none_or(str::is_empty) => Some(name),
            _ => None,
        }
    }

    pub(crate) fn is_header(&self) -> bool {
        self.header_name().is_some()
    }

    pub(crate) fn header_name(&self) -> Option<&HeaderName> {
        match &self.place {
            Place::Header(name) => Some(name),
            _ => None,
        }
    }

    pub(crate) fn query_name(&self) -> Option<&str> {
        match &self.place {
            Place::QueryString(name) => Some(name),
            _ => None,
        }
    }

    /// Whether it tells one caller from another: what callers ask for, and what is configured, does not.
    pub(crate) fn identifies_caller(&self) -> bool {
        match &self.place {
            Place::Context(variable) => variable.identifies_caller(),
            Place::Header(_) | Place::QueryString(_) => true,
            Place::StageVariable(_) => false,
        }
    }
}

/// Two sources are equal if they are the same place, however it is written.
impl PartialEq for IdentitySource {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

impl Eq for IdentitySource {}

impl Hash for IdentitySource {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.place.hash(state);
    }
}

/// Whether answers that are cached under these are told apart by what is asked for: by the route key, or by the method
/// and something of the path.
pub(crate) fn tell_routes_apart(sources: &[IdentitySource]) -> bool {
    let has = |wanted: fn(ContextVariable) -> bool| {
        sources.iter().any(|source| matches!(source.place, Place::Context(variable) if wanted(variable)))
    };
    has(|variable| variable == ContextVariable::RouteKey)
        || (has(|variable| variable == ContextVariable::HttpMethod) && has(ContextVariable::names_path))
}

/// Prints the spelling of REST APIs.
impl std::fmt::Display for IdentitySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match &self.place {
            Place::Context(_) => "context.",
            Place::Header(_) => "method.request.header.",
            Place::QueryString(_) => "method.request.querystring.",
            Place::StageVariable(_) => "stageVariables.",
        })?;
        f.write_str(self.configured_name())
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
    /// Nobody told us: the fault is not the caller's.
    Unknown,
}

impl IdentityError {
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Missing => "is missing or empty",
            Self::Repeated => "is there more than once",
            Self::NotText => "is not plain text",
            Self::TooLong => "is longer than 8 KiB",
            Self::Unknown => "is not known to this service",
        }
    }
}

pub(super) fn header_value<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<Option<IdentityValue<'a>>, IdentityError> {
    let mut values = headers.get_all(name).iter();
    let Some(first) = values.next() else { return Ok(None) };
    let printable = |bytes| IdentityValue::printable(bytes).ok_or(IdentityError::NotText);
    let first = printable(first.as_bytes())?;
    let Some(second) = values.next() else { return Ok(Some(first)) };
    // HTTP/2 clients may split the cookie header; it is one value for all that.
    if *name != COOKIE {
        return Err(IdentityError::Repeated);
    }
    let mut joined = first.into_text().into_owned();
    // What is empty is nothing, however often it is there.
    for value in std::iter::once(second).chain(values).filter(|value| !value.is_empty()) {
        if !joined.is_empty() {
            joined.push_str("; ");
        }
        joined.push_str(&printable(value.as_bytes())?.into_text());
        if joined.len() > MAX_VALUE {
            return Err(IdentityError::TooLong);
        }
    }
    Ok(Some(IdentityValue::from(Cow::Owned(joined))))
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

#[cfg(test)]
mod tests {
    use http::header::AUTHORIZATION;
    use http::{HeaderValue, Request};

    use super::*;
    use crate::request::{Location, SourceAddress};

    fn stage() -> ApiStage {
        ApiStage::rest("us-east-1", "123456789012", "abcdef123", "prod")
            .and_then(|stage| stage.with_stage_variable("v", "1"))
            .unwrap()
    }

    fn resolve(source: &IdentitySource, target: &str, headers: &HeaderMap) -> Result<String, IdentityError> {
        let mut request = Request::get(target).body(()).unwrap();
        *request.headers_mut() = headers.clone();
        let located = Location::unrouted("/");
        let (stage, address) = (stage(), SourceAddress::default());
        let view = RequestView::new(&stage, &address, &request, located, "/");
        source.resolve(&view).map(|value| value.into_text().into_owned())
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
        resolve(&IdentitySource::header(name), "/", &headers)
    }

    fn query(query: &str) -> Result<String, IdentityError> {
        resolve(&IdentitySource::query_string("k"), &format!("/?{query}"), &HeaderMap::new())
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
        assert_eq!(named_header(COOKIE, &[b"", b"a=1", b"", b"b=2", b""]).as_deref(), Ok("a=1; b=2"));
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
        let source = IdentitySource::stage_variable("v");
        assert_eq!(resolve(&source, "/", &HeaderMap::new()).as_deref(), Ok("1"));
        assert_eq!(IdentitySource::stage_variable("V").unknown_stage_variable(&stage()), Some("V"));
    }
}
