//! An issuer on the loopback interface.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{oneshot, watch};

use super::fake_answer::{FakeAnswer, Length};

const DISCOVERY: &str = "/.well-known/openid-configuration";
const MAX_HEAD: usize = 16 * 1024;

/// An issuer that serves its key set and its discovery document over HTTP, on a loopback port of its own; counts how
/// often it is asked; and fails when told to. It ends when it is dropped.
///
/// It runs on a thread of its own, so it can be used with any runtime and with none, and outlives all of them.
///
/// ```
/// use tower_lambda_authorizer::testing::{FakeAnswer, FakeIssuer};
///
/// let mut issuer = FakeIssuer::start()?;
/// issuer.set_keys(r#"{"keys":[]}"#); // the keys that it has from now on
/// issuer.answer_with(FakeAnswer::status(500)); // how it answers from now on
/// issuer.stop(); // nobody listens on its port
/// issuer.restart()?; // somebody does again
/// assert_eq!(issuer.requests(), 0);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct FakeIssuer {
    address: SocketAddr,
    issuer: String,
    shared: Arc<Shared>,
    running: Option<Running>,
    /// Keeps the port while nobody listens, so that no other issuer is given it.
    reserved: Option<TcpSocket>,
}

#[derive(Debug)]
struct Running {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    script: Mutex<Script>,
    counts: watch::Sender<Counts>,
    held: watch::Sender<bool>,
}

#[derive(Debug)]
struct Script {
    keys: String,
    discovery: String,
    keys_answer: FakeAnswer,
    discovery_answer: FakeAnswer,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    keys: usize,
    discovery: usize,
    bytes: usize,
}

impl Shared {
    fn script(&self) -> MutexGuard<'_, Script> {
        // What a panicking test left is as good as it was.
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FakeIssuer {
    /// Starts an issuer with an empty key set and a discovery document that names it and its keys.
    ///
    /// # Errors
    ///
    /// If there is no port or no thread to be had.
    pub fn start() -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let address = socket.local_addr()?;
        // Not before: two sockets that may share a port are given the same one.
        #[cfg(unix)]
        socket.set_reuseaddr(true)?;
        let issuer = format!("http://{address}");
        let discovery = json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/jwks.json") });
        let script = Script {
            keys: r#"{"keys":[]}"#.into(),
            discovery: discovery.to_string(),
            keys_answer: FakeAnswer::usual(),
            discovery_answer: FakeAnswer::usual(),
        };
        let shared = Arc::new(Shared {
            script: Mutex::new(script),
            counts: watch::Sender::new(Counts::default()),
            held: watch::Sender::new(false),
        });
        let running = Some(run(socket, Arc::clone(&shared))?);
        Ok(Self { address, issuer, shared, running, reserved: None })
    }

    /// The issuer's name, `http://127.0.0.1:` and its port.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Where its key set is: `/jwks.json`. Every path that ends so is answered alike.
    #[must_use]
    pub fn jwks_url(&self) -> String {
        format!("{}/jwks.json", self.issuer)
    }

    /// The key set it has from now on.
    pub fn set_keys(&self, jwks: impl Into<String>) {
        self.shared.script().keys = jwks.into();
    }

    /// The discovery document it has from now on.
    pub fn set_discovery(&self, document: impl Into<String>) {
        self.shared.script().discovery = document.into();
    }

    /// How it answers from now on when it is asked for its keys.
    pub fn answer_with(&self, answer: FakeAnswer) {
        self.shared.script().keys_answer = answer;
    }

    /// How it answers from now on when it is asked for its discovery document.
    pub fn answer_discovery_with(&self, answer: FakeAnswer) {
        self.shared.script().discovery_answer = answer;
    }

    /// From now on it hears requests and counts them, and answers none before it is [released](Self::release).
    pub fn hold(&self) {
        self.shared.held.send_replace(true);
    }

    /// Answers the requests that were held, and all that follow.
    pub fn release(&self) {
        self.shared.held.send_replace(false);
    }

    /// How often it was asked for its keys.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.shared.counts.borrow().keys
    }

    /// How often it was asked for its discovery document.
    #[must_use]
    pub fn discovery_requests(&self) -> usize {
        self.shared.counts.borrow().discovery
    }

    /// How many bytes of bodies clients took, those in the buffers of the connections included.
    #[must_use]
    pub fn bytes_sent(&self) -> usize {
        self.shared.counts.borrow().bytes
    }

    /// Waits until it was asked for its keys this many times in all, held requests included.
    pub async fn requested(&self, times: usize) {
        let mut counts = self.shared.counts.subscribe();
        // The sender is here; the wait cannot end in any other way.
        let _ = counts.wait_for(|counts| counts.keys >= times).await;
    }

    /// Stops listening and cuts all connections: from now on, connections are refused.
    pub fn stop(&mut self) {
        if let Some(Running { stop, thread }) = self.running.take() {
            let _ = stop.send(());
            let _ = thread.join();
            self.reserved = reserve(self.address).ok();
        }
    }

    /// Listens again, on the same port.
    ///
    /// # Errors
    ///
    /// If somebody else took the port meanwhile, or there is no thread to be had.
    pub fn restart(&mut self) -> io::Result<()> {
        self.stop();
        let socket = match self.reserved.take() {
            Some(socket) => socket,
            None => reserve(self.address)?,
        };
        self.running = Some(run(socket, Arc::clone(&self.shared))?);
        Ok(())
    }
}

impl Drop for FakeIssuer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The port again, of which connections may be left that are closed but not forgotten.
fn reserve(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

fn run(socket: TcpSocket, shared: Arc<Shared>) -> io::Result<Running> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let listener = {
        let _inside = runtime.enter();
        socket.listen(1024)?
    };
    let (stop, mut stopped) = oneshot::channel();
    let thread = std::thread::Builder::new().name("fake-issuer".into()).spawn(move || {
        runtime.block_on(async move {
            let accept = async {
                while let Ok((stream, _)) = listener.accept().await {
                    let shared = Arc::clone(&shared);
                    tokio::spawn(async move {
                        // A client that goes away is a client that had enough.
                        let _ = serve(stream, &shared).await;
                    });
                }
            };
            let mut accept = std::pin::pin!(accept);
            std::future::poll_fn(|cx| {
                let stopped = std::pin::Pin::new(&mut stopped).poll(cx);
                if stopped.is_ready() { stopped.map(drop) } else { accept.as_mut().poll(cx) }
            })
            .await;
        });
    })?;
    Ok(Running { stop, thread })
}

/// Answers one request and closes the connection.
async fn serve(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    let Some(path) = read_path(&mut stream).await? else { return Ok(()) };
    let is_discovery = path.ends_with(DISCOVERY);
    let is_keys = path.ends_with("jwks.json");
    shared.counts.send_modify(|counts| {
        counts.keys += usize::from(is_keys);
        counts.discovery += usize::from(is_discovery);
    });
    let mut held = shared.held.subscribe();
    let _ = held.wait_for(|held| !held).await;
    let (answer, body) = {
        let script = shared.script();
        let (answer, document) = match (is_keys, is_discovery) {
            (true, _) => (script.keys_answer.clone(), script.keys.as_bytes()),
            (_, true) => (script.discovery_answer.clone(), script.discovery.as_bytes()),
            _ => (FakeAnswer::status(404), &b"{}"[..]),
        };
        let body = answer.body.clone().unwrap_or_else(|| document.to_owned());
        (answer, body)
    };
    write(&mut stream, &answer, &body, shared).await
}

/// The path of the request, once its whole head was read. These requests have no bodies.
async fn read_path(stream: &mut TcpStream) -> io::Result<Option<String>> {
    let mut head = Vec::new();
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        if head.len() > MAX_HEAD || stream.read_buf(&mut head).await? == 0 {
            return Ok(None);
        }
    }
    let head = String::from_utf8_lossy(&head);
    let target = head.split(' ').nth(1).unwrap_or_default();
    Ok(Some(target.split('?').next().unwrap_or_default().to_owned()))
}

async fn write(stream: &mut TcpStream, answer: &FakeAnswer, body: &[u8], shared: &Shared) -> io::Result<()> {
    tokio::time::sleep(answer.head_delay).await;
    let mut head = format!("HTTP/1.1 {} Fake\r\nconnection: close\r\n", answer.status);
    head += &format!("content-type: {}\r\n", answer.content_type);
    if let Some(location) = &answer.location {
        head += &format!("location: {location}\r\n");
    }
    match answer.length {
        Length::Exact | Length::Truncated => head += &format!("content-length: {}\r\n", body.len()),
        Length::Said(length) => head += &format!("content-length: {length}\r\n"),
        Length::Unsaid | Length::Endless => {}
    }
    stream.write_all((head + "\r\n").as_bytes()).await?;
    let body = match answer.length {
        Length::Truncated => body.get(..body.len() / 2).unwrap_or_default(),
        _ => body,
    };
    let step = if answer.byte_delay.is_zero() { body.len().max(1) } else { 1 };
    for piece in body.chunks(step) {
        tokio::time::sleep(answer.byte_delay).await;
        send(stream, piece, shared).await?;
    }
    if answer.length == Length::Endless {
        loop {
            send(stream, &[b' '; 4096], shared).await?;
        }
    }
    stream.shutdown().await
}

async fn send(stream: &mut TcpStream, piece: &[u8], shared: &Shared) -> io::Result<()> {
    stream.write_all(piece).await?;
    shared.counts.send_modify(|counts| counts.bytes += piece.len());
    Ok(())
}
