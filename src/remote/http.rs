//! Functions behind an HTTP endpoint that speaks the Invoke API.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ::http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING};
use ::http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, Request, Response, Url};

use super::answer::{INTERNAL_SERVER_ERROR, Invocation, OK, TOO_MANY_REQUESTS};
use super::error::{RemoteConfigError, RemoteError};
use super::function::Function;
use super::retry::Attempt;
use super::{RemoteAuthorizer, RemoteAuthorizerBuilder, Transport};

/// Everything but what RFC 3986 calls unreserved, as the SDKs of AWS write names in paths.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

const INVOCATION_TYPE: HeaderName = HeaderName::from_static("x-amz-invocation-type");
const FUNCTION_ERROR: HeaderName = HeaderName::from_static("x-amz-function-error");

/// What the client itself says about the request and the connection.
const OWN_HEADERS: [HeaderName; 6] =
    [CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, INVOCATION_TYPE, TRANSFER_ENCODING];

/// Servers often drop connections that are idle for five seconds. One that is dropped while a request is on its way
/// is a failure, so connections are not kept as long.
const IDLE: Duration = Duration::from_secs(4);

/// Functions that are reached through HTTP: see [`RemoteAuthorizer::http`].
pub struct Http {
    endpoint: String,
    headers: HeaderMap,
    connect_timeout: Duration,
    allows_plain_http: bool,
}

impl Http {
    pub(super) fn new(endpoint: String) -> Self {
        let headers = HeaderMap::new();
        Self { endpoint, headers, connect_timeout: Duration::from_secs(2), allows_plain_http: false }
    }
}

impl RemoteAuthorizerBuilder<Http> {
    /// Sends a header along with each invocation, such as a key for the endpoint. Its value is never printed.
    pub fn with_header(mut self, name: HeaderName, mut value: HeaderValue) -> Self {
        value.set_sensitive(true);
        self.transport.headers.insert(name, value);
        self
    }

    /// How long it may take to connect: two seconds if not said.
    pub fn with_connect_timeout(mut self, timeout: Duration) -> Self {
        self.transport.connect_timeout = timeout;
        self
    }

    /// Lets events, and the credentials in them, travel to another machine without TLS, where everybody on the way
    /// can read them and write the answer.
    pub fn insecure_plain_http(mut self) -> Self {
        self.transport.allows_plain_http = true;
        self
    }

    /// Checks everything. Nothing is connected to yet.
    ///
    /// # Errors
    ///
    /// If the endpoint is no URL with `https`, or with `http` and a loopback address; if it has a user, a query or a
    /// fragment; if the function is not named as the Invoke API names it; if a header is one that the client sets; if
    /// a limit makes no sense.
    pub fn build(self) -> Result<RemoteAuthorizer, RemoteConfigError> {
        self.build_with(|http, function| Invoker::new(http, function).map(Transport::Http))
    }
}

/// Shows scheme and host of the endpoint, and the names of the headers.
impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let origin = Url::parse(&self.endpoint).map(|url| url.origin().ascii_serialization());
        f.debug_struct("Http")
            .field("endpoint", &origin.as_deref().unwrap_or("…"))
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

pub(super) struct Invoker {
    client: Client,
    /// What every invocation is a copy of, but for its body.
    url: Url,
    headers: HeaderMap,
}

impl Invoker {
    fn new(http: Http, function: &Function) -> Result<Self, RemoteConfigError> {
        if http.connect_timeout.is_zero() {
            return Err(RemoteConfigError::Timeout);
        }
        if let Some(name) = OWN_HEADERS.iter().find(|name| http.headers.contains_key(*name)) {
            return Err(RemoteConfigError::Header { name: name.as_str().into() });
        }
        let endpoint = endpoint(&http)?;
        let mut headers = http.headers;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(INVOCATION_TYPE, HeaderValue::from_static("RequestResponse"));
        let client = client(&endpoint, http.connect_timeout)
            .map_err(|error| RemoteConfigError::Client { message: chain(&error).into() })?;
        let url = invocations(endpoint, function);
        Ok(Self { client, url, headers })
    }

    pub(super) async fn invoke(&self, event: &[u8], max_bytes: usize) -> Result<Invocation, Attempt> {
        let mut request = Request::new(reqwest::Method::POST, self.url.clone());
        *request.headers_mut() = self.headers.clone();
        *request.body_mut() = Some(event.to_vec().into());
        let mut response = self.client.execute(request).await.map_err(attempt)?;
        let status = response.status().as_u16();
        let function_failed = response.headers().contains_key(FUNCTION_ERROR);
        match status {
            OK => {}
            INTERNAL_SERVER_ERROR => {
                // What cannot be read there changes nothing: it is no answer anyway.
                let payload = read(&mut response, max_bytes).await.unwrap_or_default();
                return Ok(Invocation { status, function_failed, payload });
            }
            TOO_MANY_REQUESTS => return Err(Attempt::Throttled),
            status => return Err(RemoteError::Status { status }.into()),
        }
        let payload = read(&mut response, max_bytes).await?;
        Ok(Invocation { status, function_failed, payload })
    }
}

/// The whole body, if it has no more bytes than that.
async fn read(response: &mut Response, max_bytes: usize) -> Result<Vec<u8>, Attempt> {
    let too_large = || RemoteError::TooLarge { limit: max_bytes };
    let announced = response.content_length().unwrap_or_default();
    if usize::try_from(announced).is_ok_and(|length| length > max_bytes) {
        return Err(too_large().into());
    }
    let mut payload = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        if payload.len() + chunk.len() > max_bytes {
            return Err(too_large().into());
        }
        payload.extend_from_slice(&chunk);
    }
    Ok(payload)
}

/// Shows the host, not the whole path: what somebody put there may be a secret.
impl std::fmt::Debug for Invoker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.url.origin().ascii_serialization())
    }
}

fn endpoint(http: &Http) -> Result<Url, RemoteConfigError> {
    let refuse = |reason| RemoteConfigError::Endpoint { reason };
    let url = Url::parse(&http.endpoint).map_err(|_| refuse("is no URL such as `http://127.0.0.1:9000`"))?;
    if url.host_str().is_none_or(str::is_empty) {
        return Err(refuse("has no host"));
    }
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) || http.allows_plain_http => {}
        "http" => return Err(refuse("is another machine without TLS: use `https`, or say that you mean it")),
        _ => return Err(refuse("has another scheme than `https` or `http`")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("has credentials: send them in a header"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refuse("has a query or a fragment: end it with its path"));
    }
    Ok(url)
}

/// Whether it is this machine: by address, or by the one name that is resolved here and nowhere else.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == LOCALHOST || address.is_ok_and(|address| address.to_canonical().is_loopback())
}

const LOCALHOST: &str = "localhost";

fn client(endpoint: &Url, connect_timeout: Duration) -> reqwest::Result<Client> {
    let port = endpoint.port_or_known_default().unwrap_or_default();
    let here = [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()];
    let client = Client::builder()
        .connect_timeout(connect_timeout)
        .http1_only()
        .no_proxy()
        .pool_idle_timeout(IDLE)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        // No name server has a say in what this name means.
        .resolve_to_addrs(LOCALHOST, &here.map(|address| SocketAddr::new(address, port)))
        .retry(reqwest::retry::never())
        // Another crate may have switched these on for everybody; sizes are then not what they seem.
        .no_gzip()
        .no_brotli()
        .no_deflate()
        .no_zstd();
    match endpoint.scheme() {
        // The system's roots are of no use then, and may be missing.
        "http" => client.tls_certs_only([]).build(),
        _ => client.https_only(true).build(),
    }
}

fn invocations(mut endpoint: Url, function: &Function) -> Url {
    let name = utf8_percent_encode(&function.name, ESCAPED);
    let base = endpoint.path().trim_end_matches('/');
    let path = format!("{base}/2015-03-31/functions/{name}/invocations");
    endpoint.set_path(&path);
    if let Some(qualifier) = &function.qualifier {
        let query = format!("Qualifier={}", utf8_percent_encode(qualifier, ESCAPED));
        endpoint.set_query(Some(&query));
    }
    endpoint
}

fn attempt(error: reqwest::Error) -> Attempt {
    match error.is_connect() {
        true => Attempt::NoConnection(Arc::new(error.without_url())),
        false => broken(error),
    }
}

fn broken(error: reqwest::Error) -> Attempt {
    RemoteError::Exchange(Arc::new(error.without_url())).into()
}

/// An error's message with those of its sources.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(endpoint: &str) -> Result<RemoteAuthorizer, RemoteConfigError> {
        RemoteAuthorizer::http(endpoint, "f").build()
    }

    fn url(endpoint: &str, name: &str, qualifier: Option<&str>) -> String {
        let function = Function::new(name.into(), qualifier.map(Into::into)).unwrap();
        invocations(endpoint.parse().unwrap(), &function).to_string()
    }

    #[test]
    fn plain_http_is_for_this_machine() {
        for endpoint in [
            "http://127.0.0.1:9000",
            "http://localhost:9000/",
            "http://[::1]:9000",
            "http://LOCALHOST",
            "http://127.1",
        ] {
            assert!(build(endpoint).is_ok(), "{endpoint}");
        }
        for endpoint in [
            "http://example.com",
            "http://10.0.0.1:9000",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "http://0.0.0.0:9000",
            "http://[::2]",
        ] {
            assert!(build(endpoint).is_err(), "{endpoint}");
            assert!(
                RemoteAuthorizer::http(endpoint, "f").insecure_plain_http().build().is_ok(),
                "{endpoint}"
            );
        }
    }

    #[test]
    fn an_endpoint_is_a_url_and_nothing_more() {
        for endpoint in [
            "",
            "127.0.0.1:9000",
            "/functions",
            "ftp://127.0.0.1",
            "unix:///run/lambda.sock",
            "http://me:secret@127.0.0.1:9000",
            "http://me@127.0.0.1:9000",
            "http://127.0.0.1:9000?a=b",
            "http://127.0.0.1:9000#a",
            "http://",
        ] {
            let error = build(endpoint).unwrap_err();
            assert!(matches!(error, RemoteConfigError::Endpoint { .. }), "{endpoint}");
            assert!(!error.to_string().contains("secret"));
        }
    }

    #[test]
    fn functions_are_named_in_the_path() {
        let invocations = "2015-03-31/functions";
        assert_eq!(url("http://a", "f", None), format!("http://a/{invocations}/f/invocations"));
        assert_eq!(url("http://a/base/", "f", None), format!("http://a/base/{invocations}/f/invocations"));
        assert_eq!(
            url("http://a", "arn:aws:lambda:eu-west-1:123456789012:function:f", Some("$LATEST")),
            format!(
                "http://a/{invocations}/arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Af/invocations?Qualifier=%24LATEST"
            )
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let builder = || RemoteAuthorizer::http("http://127.0.0.1:9000", "f");
        let cases = [
            (builder().with_timeout(Duration::ZERO), RemoteConfigError::Timeout),
            (builder().with_connect_timeout(Duration::ZERO), RemoteConfigError::Timeout),
            (builder().with_max_retries(11), RemoteConfigError::Retries { limit: 10 }),
            (builder().with_max_response_bytes(0), RemoteConfigError::MaxResponseBytes),
            (builder().with_max_age_from(""), RemoteConfigError::MaxAgeKey),
            (builder().with_qualifier("a b"), RemoteConfigError::Qualifier),
            (
                builder().with_header(HOST, HeaderValue::from_static("a")),
                RemoteConfigError::Header { name: "host".into() },
            ),
        ];
        for (builder, expected) in cases {
            assert_eq!(builder.build().unwrap_err(), expected);
        }
    }

    #[test]
    fn no_secret_is_printed() {
        let builder = RemoteAuthorizer::http("http://127.0.0.1:9000/secret/", "f")
            .with_header(HeaderName::from_static("x-key"), HeaderValue::from_static("secret"));
        let before = format!("{builder:?}");
        let after = format!("{:?}", builder.build().unwrap());
        for text in [before, after] {
            assert!(!text.contains("secret") && text.contains("http://127.0.0.1:9000"), "{text}");
        }
    }
}
