//! HTTP/1.1, byte by byte.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// Zero if the connection was closed without a word.
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }

    pub fn header_names(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().map(|(name, _)| &**name)
    }
}

/// Opens a connection whose silence ends a test instead of hanging it.
pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// A request's head, as it goes over the wire.
pub fn head(method: &str, target: &[u8], headers: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend_from_slice(method.as_bytes());
    bytes.push(b' ');
    bytes.extend_from_slice(target);
    bytes.extend_from_slice(b" HTTP/1.1\r\n");
    for (name, value) in headers {
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}

/// Writes `request` on a new connection and reads one response.
pub fn exchange(address: SocketAddr, request: &[u8]) -> Answer {
    Connection::open(address).exchange(request)
}

/// A connection for one request after the other.
pub struct Connection(TcpStream);

impl Connection {
    pub fn open(address: SocketAddr) -> Self {
        Self(connect(address))
    }

    /// Writes `request` and reads one response.
    pub fn exchange(&mut self, request: &[u8]) -> Answer {
        let Self(stream) = self;
        stream.write_all(request).unwrap();
        let mut received = Vec::new();
        let split = loop {
            if let Some(at) = received.windows(4).position(|window| window == b"\r\n\r\n") {
                break at;
            }
            let mut buffer = [0; 4096];
            let read = stream.read(&mut buffer).unwrap_or_default();
            if read == 0 {
                assert!(received.is_empty(), "half a response: {received:?}");
                return Answer { status: 0, headers: vec![], body: String::new() };
            }
            received.extend_from_slice(&buffer[..read]);
        };
        let mut body = received.split_off(split + 4);
        let text = String::from_utf8(received).unwrap();
        let mut lines = text.trim_end().split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: Vec<(String, String)> = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(n, v)| (n.to_owned(), v.to_owned()))
            .collect();
        let mut answer = Answer { status, headers, body: String::new() };
        let has_body = !request.starts_with(b"HEAD ") && (!request.starts_with(b"CONNECT ") || status >= 300);
        let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
        if has_body {
            let missing: usize = length - body.len().min(length);
            let mut rest = vec![0; missing];
            stream.read_exact(&mut rest).unwrap();
            body.extend(rest);
        }
        answer.body = String::from_utf8(body).unwrap();
        answer
    }
}
