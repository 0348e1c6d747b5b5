//! Authorizer functions that mean harm, behind an endpoint that writes exact bytes: nothing runs, and nothing hangs.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tower_lambda_authorizer::AuthorizerLayer;
use tower_lambda_authorizer::axum::protect;
use tower_lambda_authorizer::remote::RemoteAuthorizer;

use super::harness::{Server, World, stage};
use super::tally::Tally;

const GOOD: &str = r#"{"principalId":"me","policyDocument":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"*"}]}}"#;

/// What the endpoint writes when it is asked about anybody but `good`.
#[derive(Clone)]
enum Reply {
    /// This, and then it hangs up.
    Send(Vec<u8>),
    /// This, and then nothing until the client is gone.
    Stall(Vec<u8>),
    /// This, and then that over and over again until the client is gone.
    Endless(Vec<u8>, Vec<u8>),
    /// This, byte by byte.
    Drip(Vec<u8>),
}

/// An endpoint. It ends with the test program.
struct Function {
    address: SocketAddr,
    invocations: Arc<AtomicUsize>,
    /// Bytes of endless replies that somebody took, or that lie in buffers.
    taken: Arc<AtomicUsize>,
}

impl Function {
    fn start(reply: Reply) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (invocations, taken) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let counters = (Arc::clone(&invocations), Arc::clone(&taken));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, reply, counters) = (stream.unwrap(), reply.clone(), counters.clone());
                // A client that goes away had enough.
                std::thread::spawn(move || drop(serve(stream, &reply, &counters.0, &counters.1)));
            }
        });
        Self { address, invocations, taken }
    }

    /// A service that asks it, and how long it waits for answers.
    fn server(&self, timeout: Duration) -> Server {
        let authorizer = RemoteAuthorizer::http(format!("http://{}", self.address), "orders")
            .with_max_retries(0)
            .with_timeout(timeout);
        let layer = AuthorizerLayer::token(authorizer.build().unwrap(), stage()).build().unwrap();
        let world = Arc::<World>::default();
        Server::start(Arc::clone(&world), protect(world.router(), layer))
    }
}

fn serve(
    mut stream: TcpStream,
    reply: &Reply,
    invocations: &AtomicUsize,
    taken: &AtomicUsize,
) -> std::io::Result<()> {
    let mut request = Vec::new();
    let is_whole = |request: &[u8]| {
        let text = String::from_utf8_lossy(request).to_lowercase();
        let (head, body) = text.split_once("\r\n\r\n")?;
        let (_, length) = head.split_once("content-length: ")?;
        let length = length.lines().next()?.parse::<usize>().ok()?;
        Some(body.len() >= length)
    };
    while is_whole(&request) != Some(true) {
        let mut buffer = [0; 4096];
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        request.extend_from_slice(&buffer[..read]);
    }
    invocations.fetch_add(1, Ordering::SeqCst);
    if String::from_utf8_lossy(&request).contains(r#""authorizationToken":"good""#) {
        return stream.write_all(&ok("", GOOD));
    }
    match reply {
        Reply::Send(bytes) => stream.write_all(bytes),
        Reply::Stall(bytes) => {
            stream.write_all(bytes)?;
            while stream.read(&mut [0; 1024])? > 0 {}
            Ok(())
        }
        Reply::Endless(bytes, again) => {
            stream.write_all(bytes)?;
            loop {
                stream.write_all(again)?;
                taken.fetch_add(again.len(), Ordering::SeqCst);
            }
        }
        Reply::Drip(bytes) => bytes.chunks(1).try_for_each(|byte| {
            std::thread::sleep(Duration::from_millis(10));
            stream.write_all(byte)
        }),
    }
}

/// A whole response of the Invoke API.
fn response(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n{headers}Connection: close\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn ok(headers: &str, body: &str) -> Vec<u8> {
    response("200 OK", headers, body.as_bytes())
}

/// Long enough for whatever is said at once, on any machine.
const LONG: Duration = Duration::from_secs(9);
/// For what takes longer than anybody waits.
const SHORT: Duration = Duration::from_millis(400);

/// Sends one request, and then one that is good.
#[track_caller]
fn refuses(tally: &mut Tally, name: &str, reply: Reply, status: u16) {
    refuses_within(LONG, tally, name, reply, status);
}

#[track_caller]
fn refuses_within(timeout: Duration, tally: &mut Tally, name: &str, reply: Reply, status: u16) -> usize {
    let function = Function::start(reply);
    let server = function.server(timeout);
    let answer = server.send(b"GET /admin HTTP/1.1\r\nHost: x\r\nAuthorization: evil\r\n\r\n");
    assert_eq!(answer.status, status, "{name}: {answer:?}");
    tally.refused(&server.world, name);
    let body = if status == 401 { r#"{"message":"Unauthorized"}"# } else { r#"{"message":null}"# };
    assert_eq!(answer.body, body, "{name}: a client is told nothing");
    // A busy machine may be late with everything.
    let server = if timeout == LONG { server } else { function.server(LONG) };
    let invocations = function.invocations.load(Ordering::SeqCst);
    assert!(invocations == 1 || timeout == SHORT && invocations == 0, "{name}: {invocations} invocations");
    let answer = server.send(b"GET /admin HTTP/1.1\r\nHost: x\r\nAuthorization: good\r\n\r\n");
    assert_eq!((answer.status, server.world.take_calls()), (200, vec!["admin".to_owned()]), "after {name}");
    function.taken.load(Ordering::SeqCst)
}

/// Bodies with which nobody is let in.
#[test]
fn an_answer_of_the_wrong_kind_lets_nobody_in() {
    let mut tally = Tally::of("functions that answer the wrong thing", 74);
    let but = |from: &str, to: &str| {
        assert!(GOOD.contains(from), "{from}");
        GOOD.replacen(from, to, 1)
    };
    let more = |member: &str| but("{", &format!("{{{member},"));
    let bodies = [
        String::new(),
        " ".into(),
        "null".into(),
        "true".into(),
        "1".into(),
        "[]".into(),
        "{}".into(),
        "\"Allow\"".into(),
        "\"Unauthorized\"".into(),
        "Unauthorized".into(),
        "<html>it works</html>".into(),
        format!("[{GOOD}]"),
        serde_json::Value::from(GOOD).to_string(),
        format!("{GOOD}{GOOD}"),
        format!("{GOOD},"),
        format!("{GOOD}\0"),
        format!("\u{feff}{GOOD}"),
        format!(")]}}'\n{GOOD}"),
        format!("callback({GOOD})"),
        format!("/**/{GOOD}"),
        GOOD[..GOOD.len() - 1].into(),
        GOOD.replace('"', "'"),
        GOOD.replace("}]}}", "},]}}"),
        "[".repeat(100_000),
        more(&format!(r#""x":{}"#, "[".repeat(100_000))),
        more(&format!(r#""context":{{"x":"{}"}}"#, "x".repeat(300 << 10))),
        // Nobody.
        but(r#""me""#, "1"),
        but(r#""me""#, "null"),
        but(r#""me""#, r#""""#),
        but(r#""me""#, r#"["me"]"#),
        but(r#""me""#, r#"{"id":"me"}"#),
        but(r#""me""#, r#""a\u0000b""#),
        but(r#""me""#, r#""a\r\nX-Admin: 1""#),
        but(r#""me""#, &format!("\"{}\"", "m".repeat(3_000))),
        but(r#""me""#, r#""\ud800""#),
        but("principalId", "principalid"),
        but("principalId", "PrincipalId"),
        but("principalId", "principal"),
        // No policy.
        r#"{"principalId":"me"}"#.into(),
        r#"{"principalId":"me","policyDocument":null}"#.into(),
        r#"{"principalId":"me","policyDocument":"*"}"#.into(),
        r#"{"principalId":"me","policyDocument":[]}"#.into(),
        r#"{"principalId":"me","policyDocument":{}}"#.into(),
        r#"{"principalId":"me","isAuthorized":true}"#.into(),
        r#"{"isAuthorized":true}"#.into(),
        more(r#""isAuthorized":true"#),
        but("policyDocument", "PolicyDocument"),
        but("2012-10-17", "2020-01-01"),
        but("Version", "version"),
        but("Statement", "Statements"),
        but(r#""Effect":"Allow","#, ""),
        but("Effect", "effect"),
        but(r#""Allow""#, r#""allow""#),
        but(r#""Allow""#, "true"),
        but(r#""Allow""#, r#"["Allow"]"#),
        but(r#""Action""#, r#""NotAction":"x:y","Action""#),
        but(r#""Resource""#, r#""NotResource":"*","Resource""#),
        but(r#""Resource":"*""#, r#""Resource":"""#),
        but(r#""Resource":"*""#, r#""Resource":null"#),
        but(r#""Action""#, r#""Principal":"*","Action""#),
        but(r#""Action""#, r#""Condition":null,"Action""#),
        but(r#""Action""#, r#""Condition":{"StringMatches":{"a":"b"}},"Action""#),
        // Which of the two?
        more(r#""principalId":"you""#),
        more(r#""policyDocument":{"Statement":[]}"#),
        but(r#""Effect""#, r#""Effect":"Deny","Effect""#),
        but(r#""Statement""#, r#""Statement":[],"Statement""#),
        but(r#""Resource""#, r#""Resource":"arn:x","Resource""#),
        but(r#""Effect""#, r#""effect":"Deny","Effect""#),
        // What is not for handlers.
        more(r#""context":[]"#),
        more(r#""context":{"a":{"b":1}}"#),
        more(r#""context":{"a":[1]}"#),
        more(r#""context":{"principalId":"root"}"#),
        more(r#""context":{"authorizerExpiresAt":"never"}"#),
        more(r#""usageIdentifierKey":7"#),
    ];
    for (number, body) in bodies.iter().enumerate() {
        let name = format!("{number}: {}", body.chars().take(200).collect::<String>());
        refuses(&mut tally, &name, Reply::Send(ok("", body)), 500);
    }
}

#[test]
fn a_function_that_failed_lets_nobody_in_whatever_else_it_says() {
    let mut tally = Tally::of("functions that fail", 34);
    let more = |member: &str| GOOD.replacen('{', &format!("{{{member},"), 1);
    for (body, status) in [
        (r#"{"errorMessage":"Unauthorized"}"#.to_owned(), 401),
        (r#"{"errorMessage":"Unauthorized","errorType":"Error","trace":[]}"#.into(), 401),
        (more(r#""errorMessage":"Unauthorized""#), 401),
        (r#"{"errorMessage":"unauthorized"}"#.into(), 500),
        (r#"{"errorMessage":"Unauthorized","errorMessage":"Unauthorized"}"#.into(), 500),
        (r#"{"errorMessage":null}"#.into(), 500),
        (more(r#""errorMessage":null"#), 500),
        (more(r#""errorMessage":"""#), 500),
        (more(r#""errorMessage":false"#), 500),
        (more(r#""errorMessage":{"errorMessage":"Unauthorized"}"#), 500),
        (more(r#""error\u004dessage":"out of memory""#), 500),
    ] {
        refuses(&mut tally, &body, Reply::Send(ok("", &body)), status);
    }
    for header in [
        "X-Amz-Function-Error: Unhandled\r\n",
        "x-amz-function-error: \r\n",
        "X-AMZ-FUNCTION-ERROR: false\r\n",
    ] {
        refuses(&mut tally, header, Reply::Send(ok(header, GOOD)), 500);
    }
    for status in [
        "201 Created",
        "202 Accepted",
        "203 Non-Authoritative Information",
        "204 No Content",
        "206 Partial Content",
        "226 IM Used",
        "300 Multiple Choices",
        "304 Not Modified",
        "400 Bad Request",
        "401 Unauthorized",
        "403 Forbidden",
        "404 Not Found",
        "418 I'm a teapot",
        "429 Too Many Requests",
        "500 Internal Server Error",
        "502 Bad Gateway",
        "503 Service Unavailable",
        "504 Gateway Timeout",
        "599 Whatever",
        "999 Whatever",
    ] {
        refuses(&mut tally, status, Reply::Send(response(status, "", GOOD.as_bytes())), 500);
    }
}

#[test]
fn a_function_elsewhere_is_not_asked() {
    let mut tally = Tally::of("functions that redirect", 12);
    let elsewhere = Function::start(Reply::Send(ok("", GOOD)));
    for status in ["301", "302", "303", "307", "308"] {
        for place in [format!("http://{}/", elsewhere.address), format!("//{}/x", elsewhere.address)] {
            let location = format!("Location: {place}\r\n");
            let reply = Reply::Send(response(&format!("{status} X"), &location, GOOD.as_bytes()));
            refuses(&mut tally, &format!("{status} {}", &place[..2]), reply, 500);
        }
    }
    let place = format!("Refresh: 0;url=http://{0}/\r\nAlt-Svc: h2=\"{0}\"\r\n", elsewhere.address);
    refuses(&mut tally, "Refresh", Reply::Send(response("200 OK", &place, b"")), 500);
    let location = format!("Location: http://{}/\r\n", elsewhere.address);
    refuses(&mut tally, "201", Reply::Send(response("201 Created", &location, GOOD.as_bytes())), 500);
    assert_eq!(elsewhere.invocations.load(Ordering::SeqCst), 0);
}

#[test]
fn what_is_no_whole_response_is_no_answer() {
    let mut tally = Tally::of("functions that speak no HTTP", 36);
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let length = GOOD.len();
    let with = |head: &str| format!("{head}\r\n\r\n{GOOD}").into_bytes();
    let many: String = (0..200).map(|number| format!("x-{number}: y\r\n")).collect();
    for (name, bytes) in [
        ("nothing", Vec::new()),
        ("an answer without a head", GOOD.into()),
        ("half a head", b"HTTP/1.1 200 OK\r\nContent-Le".to_vec()),
        ("a head without an end", format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n").into_bytes()),
        ("a head, and no body", format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n").into_bytes()),
        ("less than was announced", with(&format!("HTTP/1.1 200 OK\r\nContent-Length: {}", length + 1))),
        ("much less than was announced", with("HTTP/1.1 200 OK\r\nContent-Length: 200000")),
        ("more than may be, announced", with("HTTP/1.1 200 OK\r\nContent-Length: 100000000000")),
        ("more than was announced", with("HTTP/1.1 200 OK\r\nContent-Length: 20")),
        ("a length that is none", with("HTTP/1.1 200 OK\r\nContent-Length: many")),
        ("a length below zero", with("HTTP/1.1 200 OK\r\nContent-Length: -1")),
        ("a length with a sign", with(&format!("HTTP/1.1 200 OK\r\nContent-Length: +{length}"))),
        ("a length of 30 digits", with("HTTP/1.1 200 OK\r\nContent-Length: 100000000000000000000000000000")),
        (
            "two lengths",
            with(&format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nContent-Length: {}", length - 1)),
        ),
        ("a chunk that does not end", format!("{chunked}{length:x}\r\n{GOOD}").into_bytes()),
        ("chunks that do not end", format!("{chunked}{length:x}\r\n{GOOD}\r\n").into_bytes()),
        ("a chunk of no size", format!("{chunked}\r\n{GOOD}\r\n0\r\n\r\n").into_bytes()),
        ("a chunk of a strange size", format!("{chunked}zz\r\n{GOOD}\r\n0\r\n\r\n").into_bytes()),
        ("a chunk of a huge size", format!("{chunked}fffffffffffffffff\r\n{GOOD}\r\n0\r\n\r\n").into_bytes()),
        ("a chunk below zero", format!("{chunked}-1\r\n{GOOD}\r\n0\r\n\r\n").into_bytes()),
        ("a hundred headers too many", with(&format!("HTTP/1.1 200 OK\r\n{many}Content-Length: {length}"))),
        (
            "a header of a megabyte",
            with(&format!("HTTP/1.1 200 OK\r\nx: {}\r\nContent-Length: {length}", "y".repeat(1 << 20))),
        ),
        ("a header without a name", with(&format!("HTTP/1.1 200 OK\r\n: x\r\nContent-Length: {length}"))),
        ("a header with a zero", with(&format!("HTTP/1.1 200 OK\r\nx: \0\r\nContent-Length: {length}"))),
        ("another protocol", with(&format!("ICY 200 OK\r\nContent-Length: {length}"))),
        ("a future version", with(&format!("HTTP/9.9 200 OK\r\nContent-Length: {length}"))),
        ("a status of two digits", with(&format!("HTTP/1.1 20 OK\r\nContent-Length: {length}"))),
        ("a status of four digits", with(&format!("HTTP/1.1 2000 OK\r\nContent-Length: {length}"))),
        ("a status below the least", with(&format!("HTTP/1.1 099 OK\r\nContent-Length: {length}"))),
        ("a status that is a word", with(&format!("HTTP/1.1 OK\r\nContent-Length: {length}"))),
        (
            "another protocol from here on",
            with("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade"),
        ),
        ("patience, and nothing more", b"HTTP/1.1 100 Continue\r\n\r\n".repeat(100)),
        ("hints, and nothing more", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n".repeat(100)),
        ("TLS", b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03".to_vec()),
        ("HTTP/2", b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80".to_vec()),
        ("a banner", b"220 mail.example ESMTP\r\n".to_vec()),
    ] {
        refuses(&mut tally, name, Reply::Send(bytes), 500);
    }
}

#[test]
fn a_function_that_takes_its_time_or_never_ends_is_given_up() {
    let mut tally = Tally::of("functions that never end", 15);
    let head = |headers: &str| format!("HTTP/1.1 200 OK\r\n{headers}\r\n").into_bytes();
    let chunked = head("Transfer-Encoding: chunked\r\n");
    let half = head(&format!("Content-Length: {}\r\n", GOOD.len()));
    for (name, reply) in [
        ("silence", Reply::Stall(Vec::new())),
        ("half a head", Reply::Stall(b"HTTP/1.1 200 OK\r\nContent-".to_vec())),
        ("a head", Reply::Stall(half.clone())),
        ("all but the last byte", Reply::Stall([&half, &GOOD.as_bytes()[..GOOD.len() - 1]].concat())),
        ("a body until the end of the connection", Reply::Stall([&head(""), GOOD.as_bytes()].concat())),
        ("patience", Reply::Endless(Vec::new(), b"HTTP/1.1 100 Continue\r\n\r\n".repeat(200))),
        ("byte by byte", Reply::Drip(ok("", GOOD))),
        ("a whole body, byte by byte", Reply::Drip([half.as_slice(), GOOD.as_bytes()].concat())),
    ] {
        refuses_within(SHORT, &mut tally, name, reply, 500);
    }
    for (name, reply) in [
        ("a body", Reply::Endless(head(""), vec![b' '; 4096])),
        ("a body behind an answer", Reply::Endless([&head(""), GOOD.as_bytes()].concat(), vec![b' '; 4096])),
        ("chunks", Reply::Endless(chunked.clone(), [b"1000\r\n", [b' '; 4096].as_slice(), b"\r\n"].concat())),
        ("a chunk's extension", Reply::Endless([&chunked, b"1;".as_slice()].concat(), vec![b'x'; 4096])),
        ("headers", Reply::Endless(b"HTTP/1.1 200 OK\r\n".to_vec(), b"x-y: z\r\n".repeat(500))),
        ("a header", Reply::Endless(b"HTTP/1.1 200 OK\r\nx: ".to_vec(), vec![b'y'; 4096])),
        ("a status line", Reply::Endless(b"HTTP/1.1 200 ".to_vec(), vec![b'y'; 4096])),
    ] {
        let taken = refuses_within(SHORT, &mut tally, name, reply, 500);
        assert!(taken < 32 << 20, "{name}: {taken} bytes");
    }
}
