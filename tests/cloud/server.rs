//! An HTTP server that shows what it was sent, byte for byte, and misbehaves as told.
//!
//! One request after another per connection. Must stay simple enough to be believed: no HTTP library.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub connection: usize,
    pub method: String,
    pub target: String,
    pub head: String,
    pub body: String,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub fn is(&self, method: &str, path: &str) -> bool {
        self.method == method && self.target.split('?').next() == Some(path)
    }
}

/// What the server does with a request.
pub enum Reply {
    /// A whole answer; the connection stays.
    Answer { status: u16, headers: Vec<(String, String)>, body: Vec<u8> },
    /// These bytes, then the connection is closed.
    Then(Vec<u8>),
    /// These bytes, then nothing for as long as the client stays.
    Hang(Vec<u8>),
    /// These bytes, then one byte after another until the client leaves.
    Drip(Vec<u8>),
    /// The answer, and nobody listens any more afterwards.
    Last(Box<Reply>),
}

impl Reply {
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::text(status, "application/json", &body.to_string())
    }

    pub fn text(status: u16, media_type: &str, body: &str) -> Self {
        let headers = vec![("Content-Type".to_owned(), media_type.to_owned())];
        Self::Answer { status, headers, body: body.as_bytes().to_vec() }
    }

    pub fn empty(status: u16) -> Self {
        Self::Answer { status, headers: Vec::new(), body: Vec::new() }
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }
}

/// What the server does with a connection before it reads a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Welcome {
    Serve,
    /// Close at once.
    Slam,
    /// Read so many bytes, then close.
    SlamAfter(usize),
}

type Handler = dyn Fn(&Seen) -> Reply + Send + Sync;

pub struct Server {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    connections: Arc<AtomicUsize>,
    listening: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Server {
    pub async fn start(handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_with(|_| Welcome::Serve, None, handler).await
    }

    pub async fn start_with(
        welcome: impl Fn(usize) -> Welcome + Send + Sync + 'static,
        tls: Option<tokio_rustls::TlsAcceptor>,
        handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(AtomicUsize::new(0));
        let handler: Arc<Handler> = Arc::new(handler);
        let (stop, mut stopped) = tokio::sync::mpsc::channel::<tokio::sync::oneshot::Sender<()>>(1);
        let (log, count) = (Arc::clone(&seen), Arc::clone(&connections));
        let listening = tokio::spawn(async move {
            loop {
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    done = stopped.recv() => {
                        drop(listener);
                        if let Some(done) = done {
                            done.send(()).ok();
                        }
                        return;
                    }
                };
                let Ok((mut stream, _)) = accepted else { continue };
                let number = count.fetch_add(1, Ordering::SeqCst);
                match welcome(number) {
                    Welcome::Serve => {}
                    Welcome::Slam => continue,
                    Welcome::SlamAfter(most) => {
                        let mut rest = vec![0; most];
                        tokio::spawn(async move { stream.read_exact(&mut rest).await.ok() });
                        continue;
                    }
                }
                let (handler, log, stop, tls) = (Arc::clone(&handler), Arc::clone(&log), stop.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, number, &*handler, &log, &stop).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, number, &*handler, &log, &stop).await;
                            }
                        }
                    }
                });
            }
        });
        Self { address, seen, connections, listening }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub fn count(&self, method: &str) -> usize {
        self.seen().iter().filter(|one| one.method == method).count()
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

type Stop = tokio::sync::mpsc::Sender<tokio::sync::oneshot::Sender<()>>;

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    connection: usize,
    handler: &Handler,
    log: &Mutex<Vec<Seen>>,
    stop: &Stop,
) {
    while let Some(request) = read_request(&mut stream, connection).await {
        log.lock().unwrap().push(request.clone());
        let mut reply = handler(&request);
        if let Reply::Last(inner) = reply {
            let (done, heard) = tokio::sync::oneshot::channel();
            stop.send(done).await.ok();
            heard.await.ok();
            reply = *inner;
        }
        match reply {
            Reply::Answer { status, headers, body } => {
                let mut head = format!("HTTP/1.1 {status} X\r\n");
                for (name, value) in headers {
                    head.extend([&name, ": ", &value, "\r\n"]);
                }
                if status != 204 {
                    head.extend(["Content-Length: ", &body.len().to_string(), "\r\n"]);
                }
                head.push_str("\r\n");
                if stream.write_all(&[head.into_bytes(), body].concat()).await.is_err() {
                    return;
                }
            }
            Reply::Then(bytes) => {
                stream.write_all(&bytes).await.ok();
                stream.shutdown().await.ok();
                return;
            }
            Reply::Hang(bytes) => {
                stream.write_all(&bytes).await.ok();
                stream.read_exact(&mut [0]).await.ok();
                return;
            }
            Reply::Drip(bytes) => {
                stream.write_all(&bytes).await.ok();
                while stream.write_all(b" ").await.is_ok() {
                    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                }
                return;
            }
            Reply::Last(_) => return,
        }
    }
}

async fn read_request<S: AsyncRead + Unpin>(stream: &mut S, connection: usize) -> Option<Seen> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => bytes.extend_from_slice(&chunk[..read]),
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut words = head.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut request = Seen { connection, method, target, head: head.clone(), body: String::new() };
    let length: usize = request.header("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = bytes[end + 4..].to_vec();
    while body.len() < length {
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => body.extend_from_slice(&chunk[..read]),
        }
    }
    request.body = String::from_utf8(body).unwrap();
    Some(request)
}
