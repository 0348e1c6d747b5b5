//! Endpoints of the Invoke API on the loopback interface, which answer what a test says and count what they see.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;

use crate::common::Counter;

/// One request as it came in.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// Method and target.
    pub(crate) line: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }
}

/// What the endpoint does about a request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// Sends this and keeps the connection.
    Send(Vec<u8>),
    /// Sends this and closes the connection.
    SendAndClose(Vec<u8>),
    /// Sends this and then nothing more, until the client is gone.
    SendAndStall(Vec<u8>),
    /// Sends this, and then this over and over again, until the client is gone.
    SendForEver(Vec<u8>, Vec<u8>),
    /// Resets the connection.
    Reset,
}

/// A whole response.
pub(crate) fn response(status: u16, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len()).into_bytes()
}

/// What the Invoke API answers when the function returned this.
pub(crate) fn returned(body: &str) -> Reply {
    Reply::Send(response(200, "content-type: application/json\r\n", body))
}

/// What the Invoke API answers when the function failed with this.
pub(crate) fn failed(body: &str) -> Reply {
    Reply::Send(response(200, "X-Amz-Function-Error: Unhandled\r\n", body))
}

pub(crate) struct Endpoint {
    pub(crate) address: SocketAddr,
    pub(crate) connections: Counter,
    /// Connections that the client closed while it was owed something.
    pub(crate) abandoned: Counter,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: JoinHandle<()>,
}

impl Endpoint {
    /// Answers the n-th request, counted from 0 over all connections, with `script(n)`.
    pub(crate) async fn start(script: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_on(TcpListener::bind("127.0.0.1:0").await.unwrap(), script)
    }

    pub(crate) fn start_on(
        listener: TcpListener,
        script: impl Fn(usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let address = listener.local_addr().unwrap();
        let (connections, abandoned) = (Counter::default(), Counter::default());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let script = Arc::new(script);
        let task = tokio::spawn({
            let (connections, abandoned, seen) = (connections.clone(), abandoned.clone(), Arc::clone(&seen));
            async move {
                let mut open = tokio::task::JoinSet::new();
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    connections.hit();
                    let (abandoned, seen, script) =
                        (abandoned.clone(), Arc::clone(&seen), Arc::clone(&script));
                    open.spawn(async move { serve(stream, &abandoned, &seen, &*script).await });
                }
            }
        });
        Self { address, connections, abandoned, seen, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Waits until so many requests came in.
    pub(crate) async fn until_seen(&self, count: usize) {
        until(|| self.seen.lock().unwrap().len() >= count).await;
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Waits for what another task is about to do.
pub(crate) async fn until(is_so: impl Fn() -> bool) {
    let waited = tokio::time::timeout(std::time::Duration::from_secs(20), async {
        while !is_so() {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    });
    waited.await.expect("it did not come to pass");
}

/// An address at which nobody listens, and nobody else will: connections are refused until this socket listens.
pub(crate) fn nobody() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

async fn serve(
    mut stream: TcpStream,
    abandoned: &Counter,
    seen: &Mutex<Vec<Seen>>,
    script: &(dyn Fn(usize) -> Reply + Send + Sync),
) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut read = Vec::new();
    loop {
        let request = request(&mut stream, &mut read).await?;
        let number = {
            let mut seen = seen.lock().unwrap();
            seen.push(request);
            seen.len() - 1
        };
        match script(number) {
            Reply::Send(bytes) => stream.write_all(&bytes).await.ok()?,
            Reply::SendAndClose(bytes) => {
                stream.write_all(&bytes).await.ok()?;
                return stream.shutdown().await.ok();
            }
            Reply::SendAndStall(bytes) => {
                stream.write_all(&bytes).await.ok()?;
                while !matches!(stream.read(&mut [0; 1024]).await, Ok(0) | Err(_)) {}
                abandoned.hit();
                return None;
            }
            Reply::SendForEver(bytes, again) => {
                stream.write_all(&bytes).await.ok()?;
                while stream.write_all(&again).await.is_ok() {}
                abandoned.hit();
                return None;
            }
            Reply::Reset => return stream.set_zero_linger().ok(),
        }
    }
}

async fn request(stream: &mut TcpStream, read: &mut Vec<u8>) -> Option<Seen> {
    let head_end = loop {
        if let Some(at) = read.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        more(stream, read).await?;
    };
    let head = String::from_utf8(read[..head_end].to_vec()).unwrap();
    let mut lines = head.trim_end().split("\r\n");
    let line = lines.next()?.trim_end_matches(" HTTP/1.1").to_owned();
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let mut seen = Seen { line, headers, body: String::new() };
    let length: usize = seen.header("content-length").map_or(0, |length| length.parse().unwrap());
    while read.len() < head_end + length {
        more(stream, read).await?;
    }
    let rest = read.split_off(head_end + length);
    seen.body = String::from_utf8(read.split_off(head_end)).unwrap();
    *read = rest;
    Some(seen)
}

async fn more(stream: &mut TcpStream, read: &mut Vec<u8>) -> Option<()> {
    let mut chunk = [0; 4096];
    let length = stream.read(&mut chunk).await.ok().filter(|length| *length > 0)?;
    read.extend_from_slice(&chunk[..length]);
    Some(())
}
